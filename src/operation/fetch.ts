// Fetch: sends an HTTP request to a granted origin and completes with the response.

import { FETCH_BODY, RedirectMode, Status } from "../../assembly/abi.ts";
import type { Context } from "../context.ts";
import { Failure, messageOf } from "../failure.ts";
import type { Operation, Processor } from "../operation.ts";
import { encodeHeaders, headersOf } from "../pairs.ts";
import { cancelBody, lengthOf, readBody } from "../resource.ts";
import type { OriginGrant } from "../resource.ts";
import type { Submission } from "../submission.ts";

interface OutgoingRequest {
  url: URL;
  method: string;
  headers: Headers;
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
}

export const Fetch: Processor = {
  name: "fetch",
  flags: FETCH_BODY,

  decode(submission, context) {
    const grant = context.resourceOf(submission.resource, "origin");
    const mode: RedirectMode = submission.argument1;
    if (mode > RedirectMode.Error) throw new Failure(Status.Invalid, `fetch: ${mode} is no redirect mode`);
    const wantsBody = (submission.flags & FETCH_BODY) !== 0;
    if (!wantsBody) context.checkResources();
    const bytesMax = context.bodyBytesMax(submission.argument0);
    const request = requestOf(submission, context, grant);
    return async (operation) => {
      const response = await follow(grant, request, mode, operation).finally(() => letGo(request.body));
      const { status: auxiliary, headers } = response;
      if (!wantsBody) return { auxiliary, payload: encodeHeaders(headers), response };
      const body = await readBody(response.body, bytesMax, operation.signal, lengthOf(response));
      return { auxiliary, payload: encodeHeaders(headers, body) };
    };
  },
};

function requestOf(submission: Submission, context: Context, grant: OriginGrant): OutgoingRequest {
  const [line, ...pairs] = submission.metaPairs();
  if (!line) throw new Failure(Status.Invalid, "fetch: the head is missing");
  const [method, url] = line;
  const source = context.sourceOf(submission, submission.argument2);
  const hasBody = source !== undefined || submission.dataBytes > 0;
  return {
    url: granted(url, grant.origins[0]!, grant, Status.Invalid),
    method: checkedMethod(method, hasBody),
    headers: headersOf(pairs),
    // Last: what is refused has taken nothing.
    body: source ? source.takeBody() : submission.dataBytes > 0 ? submission.data() : null,
  };
}

/** A streamed body that nobody has begun to read holds its connection open. */
function letGo(body: OutgoingRequest["body"]): void {
  if (body instanceof ReadableStream && !body.locked) body.cancel().catch(() => {});
}

/**
 * The URL, if it may be fetched: a path at `base`, or an absolute URL at any granted origin. What else it is the guest
 * or the upstream has got wrong, hence `otherwise`.
 */
function granted(text: string, base: string, grant: OriginGrant, otherwise: Status): URL {
  const url = URL.parse(text, base);
  if (!url) throw new Failure(otherwise, `fetch: "${text}" is no URL`);
  if (url.username || url.password) throw new Failure(otherwise, "fetch: a URL must not contain credentials");
  // The origin of blob:https://… is that of what it wraps.
  if (url.protocol === "blob:" || !grant.origins.includes(url.origin)) {
    throw new Failure(Status.NotPermitted, `fetch: ${url.origin} is not among the granted origins`);
  }
  return url;
}

/** An HTTP token, and none of the methods that the fetch standard forbids, at all or with a body. */
function checkedMethod(text: string, hasBody: boolean): string {
  if (!/^(?!(connect|trace|track)$)[\w!#$%&'*+.^`|~-]+$/i.test(text))
    throw new Failure(Status.Invalid, `fetch: "${text}" is no method for a request`);
  if (hasBody && /^(get|head)$/i.test(text)) throw new Failure(Status.Invalid, `fetch: a ${text} has no body`);
  return text;
}

/** Follows redirects itself, as each hop must be granted. */
async function follow(
  grant: OriginGrant,
  first: OutgoingRequest,
  mode: RedirectMode,
  operation: Operation,
): Promise<Response> {
  let request = first;
  for (let hops = 0; ; hops++) {
    const response = await send(grant, request, operation);
    const location = response.headers.get("location");
    // A fetch that ignored its abort may still answer, but nobody waits for where it leads.
    if (operation.settled || mode === RedirectMode.Manual) return response;
    if (!isRedirect(response.status) || location === null) return response;
    cancelBody(response);
    if (mode === RedirectMode.Error) throw new Failure(Status.Redirect, "fetch: the response is a redirect");
    if (hops === operation.context.host.limits.redirects)
      throw new Failure(Status.Redirect, "fetch: too many redirects");
    request = redirected(request, response.status, location, grant);
  }
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

async function send(
  grant: OriginGrant,
  { url, method, headers, body }: OutgoingRequest,
  operation: Operation,
): Promise<Response> {
  const { signal } = operation;
  const { connections } = operation.context;
  // A streamed body cannot be sent twice, which browsers and Node want to be told.
  const streaming = body instanceof ReadableStream ? { duplex: "half" } : {};
  const init = { method, headers, body, signal, redirect: "manual", ...streaming } as RequestInit;
  const turn = connections.take(operation);
  if (turn) await turn;
  try {
    return await grant.fetch(url.href, init);
  } catch (error) {
    throw signal.aborted ? error : new Failure(Status.Network, `fetch: ${messageOf(error)}`);
  } finally {
    connections.handOn();
  }
}

/** What was meant for one origin stays there. */
const SECRETS = /^(authorization|cookie|proxy-authorization)$/;
/** What describes a body goes with it. */
const DESCRIPTIONS = /^content-(encoding|language|length|location|type)$/;

/** The request that a redirect asks for, as the fetch standard says. */
function redirected(request: OutgoingRequest, status: number, location: string, grant: OriginGrant): OutgoingRequest {
  const url = granted(location, request.url.href, grant, Status.Redirect);
  const headers = url.origin === request.url.origin ? request.headers : without(SECRETS, request.headers);
  const becomesGet = status === 303 ? request.method !== "HEAD" : status < 303 && request.method === "POST";
  if (becomesGet) return { url, method: "GET", headers: without(DESCRIPTIONS, headers), body: null };
  if (request.body instanceof ReadableStream)
    throw new Failure(Status.Redirect, "fetch: a streamed body cannot be sent again");
  return { ...request, url, headers };
}

function without(names: RegExp, headers: Headers): Headers {
  return new Headers([...headers].filter(([name]) => !names.test(name)));
}
