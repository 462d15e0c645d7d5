// The Worker of the driver for workerd: a world behind a WebSocket.

import { World } from "./world.ts";

/** `modules`: compiled, by the paths that the cases have. */
export function serveWorld(modules: Record<string, WebAssembly.Module>): { fetch(): Response } {
  return {
    fetch() {
      const { 0: client, 1: server } = new WebSocketPair();
      const world = new World(async (path) => modules[path]!);
      console.log = console.error = world.log;
      server.accept();
      server.addEventListener("message", ({ data }) => {
        void world.perform(JSON.parse(data as string)).then((reply) => server.send(JSON.stringify(reply)));
      });
      return new Response(null, { status: 101, webSocket: client });
    },
  };
}
