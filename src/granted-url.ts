// Granted URL: the only addresses that a guest's requests go to.

import { Status } from "../assembly/abi.ts";
import { Failure } from "./failure.ts";
import type { OriginGrant } from "./resource.ts";

/** A path and a query that every parser leaves as they are: without dot segments, and without what has to be escaped. */
const PLAIN_PATH = /^(?!\/\/|.*\/\.)\/[\w!$&()*+,\-.:;=?@/~]*$/;

/**
 * The URL as the platform writes it, if it may be fetched: a path at `base`, or an absolute URL at any granted origin.
 * What else it is the guest or the upstream has got wrong, hence `otherwise`.
 */
export function grantedUrl(text: string, base: string, grant: OriginGrant, otherwise: Status): string {
  const { origins } = grant;
  // Most are plain, and to parse one costs the platform more than the rest of a fetch's arguments.
  const whole = base === origins[0] && text.startsWith("/") ? base + text : text;
  if (origins.some((origin) => whole.startsWith(origin) && PLAIN_PATH.test(whole.slice(origin.length)))) return whole;
  const url = URL.parse(text, base);
  if (!url) throw new Failure(otherwise, `fetch: "${text}" is no URL`);
  if (url.username || url.password) throw new Failure(otherwise, "fetch: a URL must not contain credentials");
  // The origin of blob:https://… is that of what it wraps.
  if (url.protocol === "blob:" || !origins.includes(url.origin))
    throw new Failure(Status.NotPermitted, `fetch: ${url.origin} is not among the granted origins`);
  return url.href;
}
