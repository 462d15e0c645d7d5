// Decoded: origins for platforms whose `fetch` decodes a body and leaves its headers as they were. Handed on with them,
// no client could read it. Workers send what they have fetched as it came, so src/cloudflare.ts has no need of this.

import { origin as originAsItCame } from "./resource.ts";
import type { Fetcher, OriginGrant } from "./resource.ts";

/** What platforms decode, one coding or several. */
const CODINGS = /^(\s*((x-)?gzip|deflate|br|zstd)\s*(,|$))+$/i;

/**
 * Grants HTTP origins such as `https://api.example.com`, redirects included. `fetcher` sends the requests: anything with a
 * `fetch`; by default the platform's `fetch` does. A response that came encoded from the network has lost its
 * `content-encoding` and `content-length`, as it has been decoded.
 */
export function origin(origins: string | readonly string[], options: { fetcher?: Fetcher } = {}): OriginGrant {
  const grant = originAsItCame(origins, options);
  return { ...grant, fetch: (url, init) => Promise.resolve(grant.fetch(url, init)).then(withoutCoding) };
}

function withoutCoding(response: Response): Response {
  const coding = response?.headers?.get("content-encoding");
  // What did not come from the network has no URL, and its body is as its head says.
  if (!coding || !CODINGS.test(coding) || !response.body || response.url === "") return response;
  const decoded = new Response(response.body, response);
  for (const name of ["content-encoding", "content-length"]) decoded.headers.delete(name);
  return decoded;
}
