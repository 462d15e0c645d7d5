// Respond: answers an exchange, once.

import { RESPOND_FORWARD, Status } from "../../assembly/abi.ts";
import { Failure, messageOf } from "../failure.ts";
import type { Processor } from "../operation.ts";
import { headersInit, headersOf } from "../pairs.ts";
import type { Pair } from "../pairs.ts";
import { Body, Exchange, bodyOf, exchangeOf } from "../resource.ts";

/** Statuses that the platform sends without a body. */
const BODYLESS = new Set([204, 205, 304]);

interface Answer {
  exchange: Exchange;
  response: Response;
}

export const Respond: Processor<Answer> = {
  flags: RESPOND_FORWARD,

  decode(submission, context) {
    const exchange = exchangeOf(context.resource(submission.resource));
    if (exchange.answered) throw new Failure(Status.Closed, "respond: the exchange was answered before");
    const source = submission.argument1 === 0 ? undefined : bodyOf(context.resource(submission.argument1));
    if (source && submission.dataBytes > 0)
      throw new Failure(Status.Invalid, "respond: give bytes or a resource, not both");
    const pairs = submission.metaPairs();
    // Looked at before the body is taken: if they are refused, it must still be there to be used or let go of.
    const headers = source ? headersOf(pairs) : headersInit(pairs);
    if (submission.flags & RESPOND_FORWARD) {
      if (!(source instanceof Body))
        throw new Failure(Status.BadResource, "respond: only a fetched response can be forwarded");
      return { exchange, response: forward(source.takeResponse(), pairs) };
    }
    const status = submission.argument0;
    if (status < 200 || status > 599)
      throw new Failure(Status.Invalid, `respond: ${status} is no status from 200 to 599`);
    if (BODYLESS.has(status) && (source || submission.dataBytes > 0)) {
      throw new Failure(Status.Invalid, `respond: a response with status ${status} has no body`);
    }
    const body = source ? source.takeBody() : submission.dataBytes > 0 ? submission.data() : null;
    return { exchange, response: respond(body, { status, headers }) };
  },

  perform({ exchange, response }) {
    exchange.answer(response);
    return {};
  },

  relieves({ resource }, context) {
    const exchange = context.resource(resource);
    return exchange instanceof Exchange && !exchange.answered;
  },
};

function respond(body: BodyInit | null, init: ResponseInit): Response {
  try {
    return new Response(body, init);
  } catch (error) {
    throw new Failure(Status.Invalid, `respond: ${messageOf(error)}`);
  }
}

/** The upstream's response as it is; a copy of its head only where the guest adds to it. */
function forward(upstream: Response, added: readonly Pair[]): Response {
  if (added.length === 0) return upstream;
  const response = respond(upstream.body, upstream);
  for (const [name, value] of added) response.headers.append(name, value);
  return response;
}
