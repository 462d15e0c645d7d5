// The Worker of the driver for workerd: a world behind a WebSocket, in a request of a Worker or in a Durable Object.

import { DurableObject } from "cloudflare:workers";
import { World } from "./world.ts";

/** Compiled, by the paths that the cases have. */
export type Modules = Record<string, WebAssembly.Module>;

function open(modules: Modules): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  const world = new World(async (path) => modules[path]!);
  console.log = console.error = world.log;
  server.accept();
  server.addEventListener("message", ({ data }) => {
    void world.perform(JSON.parse(data as string)).then((reply) => server.send(JSON.stringify(reply)));
  });
  return new Response(null, { status: 101, webSocket: client });
}

interface Env {
  WORLD: DurableObjectNamespace<DurableObject>;
}

/** A Worker in which `/` opens a world in the request itself, and `/object` one in a Durable Object. */
export function worldWorker(modules: Modules): ExportedHandler<Env> {
  return {
    fetch(request, { WORLD }) {
      return new URL(request.url).pathname === "/object" ? WORLD.getByName("world").fetch(request) : open(modules);
    },
  };
}

export function worldObject(modules: Modules): new (state: DurableObjectState, env: Env) => DurableObject {
  return class extends DurableObject {
    override fetch(): Response {
      return open(modules);
    }
  };
}
