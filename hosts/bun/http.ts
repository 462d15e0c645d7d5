// HTTP: Bun's own server speaks Request and Response already.

import type { Answer, HttpServer, Listening } from "../serve.ts";

/** What is used of Bun; its types are not installed where this is checked. */
interface Server {
  readonly hostname: string;
  readonly port: number;
  stop(closeActiveConnections?: boolean): Promise<void>;
}

declare const Bun: {
  serve(options: Listening & { idleTimeout: number; maxRequestBodySize: number; fetch: Answer }): Server;
};

export async function listen(answer: Answer, { hostname, port }: Listening): Promise<HttpServer> {
  const server = Bun.serve({
    hostname,
    port,
    // A guest may wait for longer than the 10 s after which Bun gives up; how long is for its deadlines to say.
    idleTimeout: 0,
    // As is how much of a body it takes.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: async (request) => withoutUnread(await answer(request), request.method),
  });
  return {
    url: `http://${server.hostname}:${server.port}`,
    stop: () => server.stop(),
    destroy: () => void server.stop(true),
  };
}

/** Bun sends no body to a HEAD, but does not let go of it either. */
function withoutUnread(response: Response, method: string): Response {
  if (method !== "HEAD" || !response.body) return response;
  void response.body.cancel();
  return new Response(null, response);
}
