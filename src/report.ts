// Report: what the host tells its owner, and what a client may know of it.

import type { Status } from "../assembly/abi.ts";

/** Where in the guest's source, as a trap by `abort` tells. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

/** Something that went wrong and that no handler of the guest has dealt with. */
export interface ErrorReport extends Partial<Place> {
  /**
   * `trap`: the module trapped. `unanswered`: a context fell silent without a response. `unhandled`: an operation failed
   * that has no handler. `dropped`: one failed in whose place another was taken. `unexpected`: a processor threw what it
   * should not. `killed`: the platform ended a request without a word. `open`: the guest asked for a resource that was not
   * granted.
   */
  kind: "trap" | "unanswered" | "unhandled" | "dropped" | "unexpected" | "killed" | "open";
  message: string;
  /** The operation whose handler was running, or that failed. */
  operation?: string;
  token?: { slot: number; generation: number };
  status?: Status;
  /** The request of the context, as `METHOD URL`. */
  request?: string;
  cause?: unknown;
}

export type OnError = (report: ErrorReport) => void;

/** One line for a log, whatever a guest or its client has put into the texts. */
export function formatReport(report: ErrorReport): string {
  const token = report.token ? ` ${report.token.slot}:${report.token.generation}` : "";
  const role = report.kind === "unhandled" || report.kind === "dropped" ? "the operation was" : "in the handler of";
  const handler = report.operation ? `, ${role} ${report.operation}${token}` : "";
  const request = report.request ? `, for ${report.request}` : "";
  const line = `wasm-proactor: ${report.kind}: ${report.message}${placeOf(report)}${handler}${request}`;
  return line.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
}

export function placeOf({ file, line, column }: Partial<Place>): string {
  return file ? ` (${file}:${line}:${column})` : "";
}

export function logError(report: ErrorReport): void {
  console.error(formatReport(report));
}

/** Why a context was not answered by the guest: a word for programs, a sentence for people. */
export interface ContextFailure {
  error: string;
  detail: string;
}

export const SHUT_DOWN: ContextFailure = { error: "shutdown", detail: "The host is shutting down." };
export const UNEXPECTED: ContextFailure = {
  error: "unexpected",
  detail: "The host failed while it handled this request.",
};

export function failureResponse(failure: ContextFailure): Response {
  // Not Response.json(): engines disagree about its content type.
  const headers = { "content-type": "application/json" };
  return new Response(JSON.stringify(failure), { status: failure === SHUT_DOWN ? 503 : 500, headers });
}
