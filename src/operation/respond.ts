// Respond: answers an exchange, once.

import { RESPOND_FORWARD, Status } from "../../assembly/abi.ts";
import { DONE } from "../completion.ts";
import { Failure, messageOf } from "../failure.ts";
import type { Processor } from "../operation.ts";
import { headersOf } from "../pairs.ts";
import { Body } from "../resource.ts";
import type { Source } from "../resource.ts";
import type { Submission } from "../submission.ts";

export const Respond: Processor = {
  name: "respond",
  flags: RESPOND_FORWARD,

  decode(submission, context) {
    const exchange = context.resourceOf(submission.resource, "exchange");
    if (exchange.answered) throw new Failure(Status.Closed, "respond: the exchange was answered before");
    const source = context.sourceOf(submission, submission.argument1);
    exchange.answer(submission.flags & RESPOND_FORWARD ? forward(submission, source) : respond(submission, source));
    return DONE;
  },

  relieves({ resource }, context) {
    const exchange = context.resource(resource);
    return exchange?.kind === "exchange" && !exchange.answered;
  },
};

function respond(submission: Submission, source: Source | undefined): Response {
  const { argument0: status, dataBytes } = submission;
  checkStatus(status);
  if (isBodyless(status) && (source || dataBytes > 0))
    throw new Failure(Status.Invalid, `respond: a response with status ${status} has no body`);
  try {
    // The head before the body is taken: if it is refused, the body must still be there to be used or let go of.
    const head = source ? { status, headers: headersOf(submission.metaPairs()) } : submission.responseHead(status);
    return new Response(source ? source.take().body : submission.body(), head);
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(Status.Invalid, `respond: ${messageOf(error)}`);
  }
}

/** What a response can be made with. */
function checkStatus(status: number): void {
  if (status < 200 || status > 599)
    throw new Failure(Status.Invalid, `respond: ${status} is no status from 200 to 599`);
}

/** Whether the platform sends it without a body. */
function isBodyless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** The upstream's response as it is; a copy of its head only where the guest adds to it. */
function forward(submission: Submission, source: Source | undefined): Response {
  if (!(source instanceof Body))
    throw new Failure(
      Status.BadResource,
      "respond: only a response whose body stays on the host can be forwarded: fetch it without withBody()",
    );
  const added = submission.metaPairs();
  if (added.length === 0) return source.take();
  // Looked at before the response is taken, as above.
  headersOf(added);
  checkStatus(source.message.status);
  const upstream = source.take();
  const response = new Response(upstream.body, upstream);
  for (const [name, value] of added) response.headers.append(name, value);
  return response;
}
