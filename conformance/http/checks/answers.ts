// Answers: the shapes in which the routes answer.

import { aText } from "../expect.ts";
import type { Answer } from "../expect.ts";

export const TEXT = "text/plain; charset=utf-8";
export const JSON_TEXT = "application/json; charset=utf-8";
export const HTML = "text/html; charset=utf-8";

export const text = (body: string): Answer => ({ status: 200, headers: { "content-type": TEXT }, body });

/** A refusal. Its sentence is given where it is the guest's; a host says why an operation failed in words of its own. */
export const refusal = (status: number, error: string, detail?: string): Answer => ({
  status,
  headers: { "content-type": JSON_TEXT },
  json: { error, detail: detail ?? aText },
});

export const NO_KEY = refusal(404, "not-found");
