// Fetcher: the platform's fetch, which unpacks bodies. What was packed comes without the headers that say so and how long it
// was: handed on with them, no client could read it.

import type { Fetcher } from "wasm-proactor";

/** What platforms unpack. */
const CODINGS = new Set(["br", "deflate", "gzip", "x-gzip", "zstd"]);

export const fetcher: Fetcher = {
  async fetch(url, init) {
    const response = await fetch(url, init);
    const { body, headers: packed, status, statusText } = response;
    const codings = packed.get("content-encoding")?.toLowerCase().split(",") ?? [];
    if (!body || codings.length === 0 || !codings.every((coding) => CODINGS.has(coding.trim()))) return response;
    const headers = new Headers(packed);
    headers.delete("content-encoding");
    headers.delete("content-length");
    return new Response(body, { status, statusText, headers });
  },
};
