// Failure: an error that becomes a completion's status, with a message that travels as its payload.

import { Status } from "../assembly/abi.ts";

export class Failure extends Error {
  constructor(
    readonly status: Status,
    message: string,
  ) {
    super(message);
  }
}

/** The status for whatever was thrown. */
export function statusOf(error: unknown): Status {
  return error instanceof Failure ? error.status : Status.Failed;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** With what was behind it: of a connection that was refused, Node says only "fetch failed". */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause;
  return messageOf(error) + (cause ? `: ${messageOf(cause)}` : "");
}
