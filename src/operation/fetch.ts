// Fetch: sends an HTTP request to a granted origin and completes with the response.

import { FETCH_BODY, RedirectMode, Status } from "../../assembly/abi.ts";
import type { Context } from "../context.ts";
import { Failure, reasonOf } from "../failure.ts";
import { grantedUrl } from "../granted-url.ts";
import type { Operation, Processor } from "../operation.ts";
import { encodeTexts, headersOf, textsOf } from "../pairs.ts";
import { readBody, readWhole, statedBytes } from "../read-body.ts";
import { cancelBody } from "../resource.ts";
import type { OriginGrant } from "../resource.ts";
import type { Submission } from "../submission.ts";

interface OutgoingRequest {
  /** As the platform would write it. */
  url: string;
  method: string;
  headers: Headers | undefined;
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
      const response = await follow(grant, request, mode, operation);
      const { status: auxiliary } = response;
      const headers = textsOf(response.headers);
      if (!wantsBody) return { auxiliary, payload: encodeTexts(headers), response };
      const stated = statedBytes(headers);
      const body =
        grant.byPlatform && stated > 0 && stated <= bytesMax
          ? await readWhole(response, bytesMax)
          : await readBody(response.body, bytesMax, operation.signal, stated);
      return { auxiliary, payload: encodeTexts(headers, body) };
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
    url: grantedUrl(url, grant.origins[0]!, grant, Status.Invalid),
    method: checkedMethod(method, hasBody),
    headers: pairs.length > 0 ? headersOf(pairs) : undefined,
    // Last: what is refused has taken nothing.
    body: source ? source.take().body : submission.dataBytes > 0 ? submission.data() : null,
  };
}

/** An HTTP token, and none of the methods that the fetch standard forbids, at all or with a body. */
function checkedMethod(text: string, hasBody: boolean): string {
  if (!/^(?!(connect|trace|track)$)[\w!#$%&'*+.^`|~-]+$/i.test(text))
    throw new Failure(Status.Invalid, `fetch: "${text}" is no method for a request`);
  if (hasBody && /^(get|head)$/i.test(text)) throw new Failure(Status.Invalid, `fetch: a ${text} has no body`);
  // As the fetch standard does; what follows compares with these.
  return /^(delete|get|head|options|post|put)$/i.test(text) ? text.toUpperCase() : text;
}

/** Follows redirects itself, as each hop must be granted. */
async function follow(
  grant: OriginGrant,
  first: OutgoingRequest,
  mode: RedirectMode,
  operation: Operation,
): Promise<Response> {
  try {
    let request = first;
    for (let hops = 0; ; hops++) {
      const response = await send(grant, request, operation);
      // A fetch that ignored its abort may still answer, but nobody waits for where it leads.
      if (!isRedirect(response.status) || mode === RedirectMode.Manual || operation.settled) return response;
      const location = response.headers.get("location");
      if (location === null) return response;
      cancelBody(response);
      if (mode === RedirectMode.Error) throw new Failure(Status.Redirect, "fetch: the response is a redirect");
      if (hops === operation.context.host.limits.redirects)
        throw new Failure(Status.Redirect, "fetch: too many redirects");
      request = redirected(request, response.status, location, grant);
    }
  } finally {
    letGo(first.body);
  }
}

/** A streamed body that nobody has begun to read holds its connection open. */
function letGo(body: OutgoingRequest["body"]): void {
  if (body instanceof ReadableStream && !body.locked) body.cancel().catch(() => {});
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
    return await grant.fetch(url, init);
  } catch (error) {
    throw new Failure(Status.Network, `fetch: ${reasonOf(error)}`);
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
  const url = grantedUrl(location, request.url, grant, Status.Redirect);
  const isSameOrigin = new URL(url).origin === new URL(request.url).origin;
  const headers = isSameOrigin ? request.headers : without(SECRETS, request.headers);
  const becomesGet = status === 303 ? request.method !== "HEAD" : status < 303 && request.method === "POST";
  if (becomesGet) return { url, method: "GET", headers: without(DESCRIPTIONS, headers), body: null };
  if (request.body instanceof ReadableStream)
    throw new Failure(Status.Redirect, "fetch: a streamed body cannot be sent again");
  return { ...request, url, headers };
}

function without(names: RegExp, headers: Headers | undefined): Headers | undefined {
  return headers && new Headers([...headers].filter(([name]) => !names.test(name)));
}
