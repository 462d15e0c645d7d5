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

/** It would print a line of its own. */
const onListen = (): void => {};

export async function listen(answer: Answer, { hostname, port }: Listening): Promise<HttpServer> {
  const end = new AbortController();
  const server = Deno.serve({ hostname, port, signal: end.signal, onListen }, answer);
  return {
    url: `http://${server.addr.hostname}:${server.addr.port}`,
    stop: () => server.shutdown(),
    destroy: () => end.abort(),
  };
}
