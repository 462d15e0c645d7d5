// The embedded upstream: an origin whose delay, status and size the caller chooses, and which counts what it saw. A Worker
// here; by conformance/http/upstream.ts also a server of Node's, for hosts that are no Workers.
//
//   GET /page/<name>   a small HTML page that names <name>
//   GET /cookies       two set-cookie headers
//   GET /gzip          a line of text, compressed whatever the caller takes
//   *   /echo          the request's method, headers and body, as JSON
//   *   /<other>       a line of text
//   GET /stats         { requests, active, peak, aborted }, of this isolate; DELETE sets them back to 0
//
// Every path but /stats takes `delay` (ms), `status`, `size` (bytes of body) and `redirect` (a URL).

/** Milliseconds. */
const DELAY_MAX = 30_000;
/** Bytes; enough to show that a body larger than the memory of an isolate could pass. */
const SIZE_MAX = 268_435_456;
/** Bytes of each piece of a sized body. */
const CHUNK_BYTES = 65_536;
/** Bytes of a body that is echoed. */
const ECHO_BYTES_MAX = 1_048_576;

/** How workerd learns of a body's length. Elsewhere the header says it. */
const { FixedLengthStream } = globalThis as {
  FixedLengthStream?: new (length: number) => ReadableWritablePair<Uint8Array, Uint8Array>;
};

const stats = { requests: 0, active: 0, peak: 0, aborted: 0 };

export default {
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/stats") return answerStats(request);
    const visit = new Visit(request.signal);
    const wanted = parse(url.searchParams);
    if (typeof wanted === "string") return visit.leaveWith(error(400, "Bad Request", wanted));
    if (wanted.delay > 0) await new Promise((resolve) => setTimeout(resolve, wanted.delay));
    // The visit lasts until the last byte of a sized body: a caller may go away in the middle of one.
    if (wanted.size !== null) return sized(wanted.size, wanted.status, visit);
    return visit.leaveWith(await answer(request, url, wanted));
  },
};

interface Wanted {
  delay: number;
  status: number;
  size: number | null;
  redirect: string | null;
}

/** What the query asks for, or a sentence that says what is wrong with it. */
function parse(query: URLSearchParams): Wanted | string {
  const redirect = query.get("redirect");
  const delay = integer(query, "delay", 0, 0, DELAY_MAX);
  const status = integer(query, "status", redirect === null ? 200 : 302, 200, 599);
  const size = query.has("size") ? integer(query, "size", 0, 0, SIZE_MAX) : null;
  for (const value of [delay, status, size]) if (typeof value === "string") return value;
  // What a location header cannot carry would make the platform throw.
  if (redirect !== null && !/^[\x21-\x7e]+$/.test(redirect)) return "redirect must be a URL, percent-encoded";
  return { delay, status, size, redirect } as Wanted;
}

function integer(query: URLSearchParams, name: string, otherwise: number, min: number, max: number): number | string {
  const text = query.get(name);
  if (text === null) return otherwise;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  return `${name} must be a whole number from ${min} to ${max}, not "${text}"`;
}

async function answer(request: Request, url: URL, { status, redirect }: Wanted): Promise<Response> {
  if (redirect !== null) return new Response(null, { status, headers: { location: redirect } });
  // These three carry no body; the platform refuses to make such a response.
  if (status === 204 || status === 205 || status === 304) return new Response(null, { status });
  if (url.pathname.startsWith("/page/")) return page(url.pathname.slice("/page/".length), status);
  if (url.pathname === "/cookies") return cookies(status);
  if (url.pathname === "/gzip") return gzip(status);
  if (url.pathname === "/echo") return echo(request, status);
  return new Response(`upstream ${url.pathname}\n`, init(status, "text/plain"));
}

function page(encoded: string, status: number): Response {
  let name: string;
  try {
    name = decodeURIComponent(encoded);
  } catch {
    return error(400, "Bad Request", `the name "${encoded}" is not percent-encoded UTF-8`);
  }
  const safe = name.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  const html = `<!doctype html><meta charset="utf-8"><title>${safe}</title><h1>${safe}</h1>\n`;
  return new Response(html, init(status, "text/html; charset=utf-8"));
}

function cookies(status: number): Response {
  const headers = new Headers({ "content-type": "text/plain" });
  headers.append("set-cookie", "first=1; Path=/");
  headers.append("set-cookie", "second=2; Path=/; Expires=Wed, 01 Jan 2031 00:00:00 GMT");
  return new Response("two cookies\n", { status, headers });
}

/** With a length, which is not the text's. */
async function gzip(status: number): Promise<Response> {
  const text = new Blob(["upstream, compressed\n".repeat(100)]).stream();
  const bytes = await new Response(text.pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
  const headers = { "content-type": "text/plain", "content-encoding": "gzip", "content-length": `${bytes.byteLength}` };
  // Workers would compress it once more.
  return new Response(bytes, { status, headers, encodeBody: "manual" } as ResponseInit);
}

async function echo(request: Request, status: number): Promise<Response> {
  const body = await request.arrayBuffer();
  if (body.byteLength > ECHO_BYTES_MAX)
    return error(413, "Content Too Large", `/echo answers at most ${ECHO_BYTES_MAX} bytes`);
  const { method, url } = request;
  return Response.json(
    { method, url, headers: [...request.headers], body: new TextDecoder().decode(body) },
    { status },
  );
}

/** The same bytes for the same size, made when the reader asks for them: nothing large is ever held. */
function sized(size: number, status: number, visit: Visit): Response {
  const chunk = new TextEncoder().encode("0123456789abcde\n".repeat(CHUNK_BYTES / 16));
  let left = size;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) {
        visit.leave();
        return controller.close();
      }
      const piece = chunk.slice(0, Math.min(left, CHUNK_BYTES));
      left -= piece.byteLength;
      controller.enqueue(piece);
    },
    cancel: () => visit.abort(),
  });
  // Of known length, so that the response carries a content-length as a file's would.
  const headers = { "content-type": "text/plain", "content-length": `${size}` };
  return new Response(FixedLengthStream ? body.pipeThrough(new FixedLengthStream(size)) : body, { status, headers });
}

/** One request from its arrival to its end. Counted out once, however it ends. */
class Visit {
  #open = true;

  constructor(signal: AbortSignal) {
    stats.requests += 1;
    stats.active += 1;
    stats.peak = Math.max(stats.peak, stats.active);
    // A request whose caller went away runs no further code of its own but this.
    signal.addEventListener("abort", () => this.abort());
  }

  leave(): void {
    if (this.#open) stats.active -= 1;
    this.#open = false;
  }

  abort(): void {
    if (this.#open) stats.aborted += 1;
    this.leave();
  }

  leaveWith(response: Response): Response {
    this.leave();
    return response;
  }
}

function answerStats(request: Request): Response {
  if (request.method === "DELETE") Object.assign(stats, { requests: 0, active: 0, peak: 0, aborted: 0 });
  return Response.json(stats);
}

function init(status: number, contentType: string): ResponseInit {
  return { status, headers: { "content-type": contentType } };
}

function error(status: number, title: string, detail: string): Response {
  return Response.json({ error: title, detail }, { status });
}
