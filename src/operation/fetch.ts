// Fetch: sends an HTTP request to a granted origin and completes with the response.

import { FETCH_BODY, RedirectMode, Status } from "../../assembly/abi.ts";
import type { Context } from "../context.ts";
import { Failure, messageOf } from "../failure.ts";
import type { Operation, Processor } from "../operation.ts";
import { encodePairs } from "../pairs.ts";
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
    const [line, ...pairs] = submission.metaPairs();
    if (!line) throw new Failure(Status.Invalid, "fetch: the head is missing");
    const [method, url] = line;
    const request = {
      url: resolve(url, grant),
      method: methodOf(method),
      headers: headersOf(pairs as [string, string][]),
      body: bodyToSend(submission, context),
    };
    const limit = context.host.limits.bodyBytes;
    const wanted = submission.argument0 === 0 ? limit : Math.min(submission.argument0, limit);
    return { grant, request, mode, bytesMax: submission.flags & FETCH_BODY ? wanted : undefined };
  },

  async perform({ grant, request, mode, bytesMax }, operation) {
    const response = await follow(grant, request, mode, operation);
    if (bytesMax === undefined)
      return { auxiliary: response.status, payload: encodePairs([...response.headers]), response };
    const body = await readBody(response.body, bytesMax, operation.signal);
    return { auxiliary: response.status, payload: encodePairs([...response.headers], body) };
  },
};

function bodyToSend(submission: Submission, context: Context): OutgoingRequest["body"] {
  const { dataBytes, argument2: source } = submission;
  if (source === 0) return dataBytes > 0 ? submission.data() : null;
  if (dataBytes > 0) throw new Failure(Status.Invalid, "fetch: give bytes or a resource, not both");
  return bodyOf(context.resource(source)).takeBody();
}

/** A path at the first granted origin, or an absolute URL at any of them. */
function resolve(text: string, grant: OriginGrant): URL {
  if (!URL.canParse(text, grant.origins[0])) throw new Failure(Status.Invalid, `fetch: "${text}" is no URL`);
  const url = new URL(text, grant.origins[0]);
  if (url.username || url.password) throw new Failure(Status.Invalid, "fetch: a URL must not contain credentials");
  if (!grant.origins.includes(url.origin)) {
    throw new Failure(Status.NotPermitted, `fetch: ${url.origin} is not among the granted origins`);
  }
  return url;
}

/** An HTTP token, and none of the methods that the fetch standard forbids. */
function methodOf(text: string): string {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(text) && !/^(connect|trace|track)$/i.test(text)) return text;
  throw new Failure(Status.Invalid, `fetch: "${text}" is no method for a request`);
}

function headersOf(pairs: [string, string][]): Headers {
  try {
    return new Headers(pairs);
  } catch (error) {
    throw new Failure(Status.Invalid, `fetch: ${messageOf(error)}`);
  }
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
    if (mode === RedirectMode.Manual || !isRedirect(response.status) || location === null) return response;
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
  const base = request.url.href;
  const url = resolve(URL.canParse(location, base) ? new URL(location, base).href : location, grant);
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
