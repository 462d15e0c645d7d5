// Messages: requests and answers as they go from one thread to another. Bodies are transferred, not copied, and stay streams.

import type { Shutdown } from "wasm-proactor";

interface Head {
  readonly id: number;
  readonly headers: [string, string][];
  readonly body: ReadableStream<Uint8Array> | null;
}

export interface RequestMessage extends Head {
  readonly kind: "request";
  readonly method: string;
  readonly url: string;
}

export interface ResponseMessage extends Head {
  readonly kind: "response";
  readonly status: number;
  readonly statusText: string;
}

/** What the thread is told. Gone: the client of a request is. Call: it shall say that it is here. */
export type ToThread =
  | RequestMessage
  | { readonly kind: "gone"; readonly id: number }
  | { readonly kind: "call" }
  | { readonly kind: "end"; readonly mode: Shutdown };

/** What the thread says. */
export type FromThread =
  | { readonly kind: "ready" | "here" | "ended" }
  | { readonly kind: "refused"; readonly why: string }
  | ResponseMessage;

/** What has to be transferred with a message. */
export const transferOf = ({ body }: Head): ReadableStream[] => (body ? [body] : []);

export function messageOfRequest(id: number, { method, url, headers, body }: Request): RequestMessage {
  return { kind: "request", id, method, url, headers: [...headers], body };
}

export function requestOf({ method, url, headers, body }: RequestMessage, signal: AbortSignal): Request {
  return new Request(url, { method, headers, signal, ...(body && { body, duplex: "half" }) } as RequestInit);
}

export function messageOfResponse(id: number, { status, statusText, headers, body }: Response): ResponseMessage {
  return { kind: "response", id, status, statusText, headers: [...headers], body };
}

export function responseOf({ status, statusText, headers, body }: ResponseMessage): Response {
  return new Response(body, { status, statusText, headers });
}
