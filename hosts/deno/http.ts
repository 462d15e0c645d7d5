// HTTP: Deno's own server speaks Request and Response already.

import type { Answer, HttpServer, Listening } from "../serve.ts";

/** What is used of Deno; its types are not installed where this is checked. */
interface Server {
  readonly addr: { readonly hostname: string; readonly port: number };
  shutdown(): Promise<void>;
}

declare const Deno: {
  serve(options: Listening & { signal: AbortSignal; onListen(): void }, answer: Answer): Server;
};

/** Deno gives a request the URL that came, and does not work its dots out, by which a guest's routes could be got round. */
const DOTS = /\/\.|%2e|\\/i;

function normal(request: Request): Request {
  return DOTS.test(request.url) ? new Request(new URL(request.url), request) : request;
}

/** It would print a line of its own. */
const onListen = (): void => {};

export async function listen(answer: Answer, { hostname, port }: Listening): Promise<HttpServer> {
  const end = new AbortController();
  const server = Deno.serve({ hostname, port, signal: end.signal, onListen }, (request) => answer(normal(request)));
  return {
    url: `http://${server.addr.hostname}:${server.addr.port}`,
    stop: () => server.shutdown(),
    destroy: () => end.abort(),
  };
}
