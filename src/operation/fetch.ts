// Fetch: sends an HTTP request to a granted origin and completes with the response.

import { FETCH_BODY, RedirectMode, Status } from "../../assembly/abi.ts";
import type { Context } from "../context.ts";
import { Failure, messageOf } from "../failure.ts";
import type { Operation, Processor } from "../operation.ts";
import { encodeHeaders, headersOf } from "../pairs.ts";
import { bodyOf, cancelBody, grantOf, readBody } from "../resource.ts";
import type { OriginGrant } from "../resource.ts";
import type { Submission } from "../submission.ts";

interface Arguments {
  grant: OriginGrant;
  request: OutgoingRequest;
  mode: RedirectMode;
  /** Undefined: the body stays on the host. */
  bytesMax: number | undefined;
}

interface OutgoingRequest {
  url: URL;
  method: string;
  headers: Headers;
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
}

export const Fetch: Processor<Arguments> = {
  flags: FETCH_BODY,

  decode(submission, context) {
    const grant = grantOf(context.resource(submission.resource), "origin");
    const mode: RedirectMode = submission.argument1;
    if (mode > RedirectMode.Error) throw new Failure(Status.Invalid, `fetch: ${mode} is no redirect mode`);
    if ((submission.flags & FETCH_BODY) === 0) context.checkResources();
    const [line, ...pairs] = submission.metaPairs();
    if (!line) throw new Failure(Status.Invalid, "fetch: the head is missing");
    const [method, url] = line;
    const request = {
      url: granted(url, grant.origins[0]!, grant, Status.Invalid),
      method: methodOf(method, submission),
      headers: headersOf(pairs),
      body: bodyToSend(submission, context),
    };
    const limit = context.host.limits.bodyBytes;
    const wanted = submission.argument0 === 0 ? limit : Math.min(submission.argument0, limit);
    return { grant, request, mode, bytesMax: submission.flags & FETCH_BODY ? wanted : undefined };
  },

  async perform({ grant, request, mode, bytesMax }, operation) {
    const response = await follow(grant, request, mode, operation).finally(() => letGo(request.body));
    if (bytesMax === undefined)
      return { auxiliary: response.status, payload: encodeHeaders(response.headers), response };
    const body = await readBody(response.body, bytesMax, operation.signal);
    return { auxiliary: response.status, payload: encodeHeaders(response.headers, body) };
  },
};

function bodyToSend(submission: Submission, context: Context): OutgoingRequest["body"] {
  const { dataBytes, argument2: source } = submission;
  if (source === 0) return dataBytes > 0 ? submission.data() : null;
  if (dataBytes > 0) throw new Failure(Status.Invalid, "fetch: give bytes or a resource, not both");
  return bodyOf(context.resource(source)).takeBody();
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
  if (!URL.canParse(text, base)) throw new Failure(otherwise, `fetch: "${text}" is no URL`);
  const url = new URL(text, base);
  if (url.username || url.password) throw new Failure(otherwise, "fetch: a URL must not contain credentials");
  // The origin of blob:https://… is that of what it wraps.
  if (url.protocol === "blob:" || !grant.origins.includes(url.origin)) {
    throw new Failure(Status.NotPermitted, `fetch: ${url.origin} is not among the granted origins`);
  }
  return url;
}

/** An HTTP token, and none of the methods that the fetch standard forbids, at all or with this body. */
function methodOf(text: string, { dataBytes, argument2: source }: Submission): string {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(text) || /^(connect|trace|track)$/i.test(text))
    throw new Failure(Status.Invalid, `fetch: "${text}" is no method for a request`);
  if (/^(get|head)$/i.test(text) && (dataBytes > 0 || source !== 0))
    throw new Failure(Status.Invalid, `fetch: a ${text} has no body`);
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
  // A streamed body cannot be sent twice, which browsers and Node want to be told.
  const streaming = body instanceof ReadableStream ? { duplex: "half" } : {};
  const init = { method, headers, body, signal, redirect: "manual", ...streaming } as RequestInit;
  try {
    return await operation.context.connections.use(operation, () => grant.fetch(url.href, init));
  } catch (error) {
    throw signal.aborted ? error : new Failure(Status.Network, `fetch: ${messageOf(error)}`);
  }
}

/** The request that a redirect asks for, as the fetch standard says: what was meant for one origin stays there. */
function redirected(request: OutgoingRequest, status: number, location: string, grant: OriginGrant): OutgoingRequest {
  const url = granted(location, request.url.href, grant, Status.Redirect);
  const headers = new Headers(request.headers);
  if (url.origin !== request.url.origin) {
    for (const name of ["authorization", "cookie", "proxy-authorization"]) headers.delete(name);
  }
  const becomesGet = status === 303 ? request.method !== "HEAD" : status < 303 && request.method === "POST";
  if (becomesGet) {
    for (const name of ["content-type", "content-length", "content-encoding", "content-language", "content-location"])
      headers.delete(name);
    return { url, method: "GET", headers, body: null };
  }
  if (request.body instanceof ReadableStream)
    throw new Failure(Status.Redirect, "fetch: a streamed body cannot be sent again");
  return { ...request, url, headers };
}
