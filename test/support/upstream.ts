// Upstream: the origin that test guests fetch from. A function from request to response, so that the simulation calls
// it and node:http serves it, and every host meets the same behaviour.
//
//   /echo                the request's method, URL, headers and body, as JSON
//   /mirror              the request's body, as it comes
//   /status/<n>          that status, and a body if there may be one
//   /redirect/<n>?to=    a redirect of that status
//   /loop                a redirect to itself
//   /cookies             two set-cookie headers, and two of another repeated name
//   /bytes/<n>           n bytes, made while they are read
//   /stated/<n>[/<m>]    the same, with a content-length of n, or of m
//   /stalled             a body with a content-length that begins and does not go on
//   /cut-off             the same, but the connection breaks
//   /slow/<ms>           answers after that time
//   /barrier/<n>/<of>    answers when n requests wait, or when the last of all has come
//   /never               no answer
//   /endless             a body that begins and does not go on
//   /broken              no response but a broken connection
//   /broken-body         a body that breaks off

import type { Clock } from "../../src/deadlines.ts";
import { systemClock } from "../../src/deadlines.ts";
import { bytesOf } from "./bytes.ts";

const CHUNK_BYTES = 65_536;
const BODYLESS = new Set([204, 205, 304]);

export class Upstream {
  /** `METHOD path?query` of each request, in order of arrival. */
  readonly seen: string[] = [];
  /** Requests that have no response yet, and how many at most. */
  waiting = 0;
  waitingMost = 0;
  #barrier: (() => void)[] = [];
  #arrived = 0;

  constructor(private readonly clock: Clock = systemClock) {}

  /** Forgets what it has seen. */
  reset(): void {
    this.seen.length = 0;
    this.waiting = 0;
    this.waitingMost = 0;
    this.#barrier = [];
    this.#arrived = 0;
  }

  readonly answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    this.seen.push(`${request.method} ${url.pathname}${url.search}`);
    this.waiting++;
    this.waitingMost = Math.max(this.waitingMost, this.waiting);
    try {
      return await this.#answer(request, url);
    } finally {
      this.waiting--;
    }
  };

  async #answer(request: Request, url: URL): Promise<Response> {
    const [, route, first = "", second = ""] = url.pathname.split("/");
    switch (route) {
      case "echo":
        return echo(request);
      case "mirror":
        return new Response(request.body);
      case "status":
        return status(Number(first));
      case "redirect":
        return redirect(Number(first), url.searchParams.get("to")!);
      case "loop":
        return redirect(302, "/loop");
      case "cookies":
        return cookies();
      case "bytes":
        return new Response(bytes(Number(first)));
      case "stated":
        return new Response(bytes(Number(first)), { headers: { "content-length": second || first! } });
      case "stalled":
        return new Response(
          begun(() => new Promise(() => {})),
          { headers: { "content-length": "1000" } },
        );
      case "cut-off":
        return new Response(
          begun(() => Promise.reject(new TypeError("the connection broke"))),
          {
            headers: { "content-length": "1000" },
          },
        );
      case "slow":
        await new Promise<void>((resolve) => this.clock.setTimeout(resolve, Number(first)));
        return new Response("at last");
      case "barrier":
        await this.#wait(Number(first), Number(second));
        return new Response("through");
      case "never":
        return new Promise(() => {});
      case "endless":
        return new Response(begun(() => new Promise(() => {})));
      case "broken":
        throw new TypeError("the connection broke");
      case "broken-body":
        return new Response(begun(() => Promise.reject(new TypeError("the connection broke"))));
      default:
        return new Response("no such route", { status: 404 });
    }
  }

  #wait(count: number, of: number): Promise<void> {
    this.#arrived++;
    const gone = new Promise<void>((resolve) => this.#barrier.push(resolve));
    if (this.#barrier.length === count || this.#arrived === of) {
      const through = this.#barrier.splice(0);
      // Later, so that all of them wait and go on in the same microtask checkpoint.
      this.clock.setTimeout(() => through.forEach((go) => go()), 0);
    }
    return gone;
  }
}

async function echo(request: Request): Promise<Response> {
  const { method, url, headers } = request;
  return Response.json({ method, url, headers: [...headers], body: await request.text() });
}

function status(number: number): Response {
  return new Response(BODYLESS.has(number) ? null : `status ${number}`, { status: number });
}

function redirect(number: number, to: string): Response {
  return new Response("look there", { status: number, headers: { location: to } });
}

function cookies(): Response {
  const headers = new Headers({ "content-type": "text/plain" });
  headers.append("set-cookie", "first=1; Path=/");
  headers.append("set-cookie", "second=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT");
  headers.append("x-repeated", "one");
  headers.append("x-repeated", "two");
  return new Response("two cookies", { headers });
}

function bytes(size: number): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent === size) return controller.close();
      const chunk = bytesOf(Math.min(sent + CHUNK_BYTES, size), sent);
      sent += chunk.length;
      controller.enqueue(chunk);
    },
  });
}

function begun(next: () => Promise<void>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("begun")),
    pull: next,
  });
}
