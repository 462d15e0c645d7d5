// Serve: a proactor behind a platform's HTTP server.

import type { Proactor } from "wasm-proactor";
import { command } from "./command.ts";
import type { Serving } from "./command.ts";
import { proactorOf } from "./proactor.ts";
import type { FileKv } from "./proactor.ts";

export type Answer = (request: Request) => Promise<Response>;

export interface Listening {
  readonly hostname: string;
  /** 0 is any that is free. */
  readonly port: number;
}

export interface HttpServer {
  /** Without a trailing slash. */
  readonly url: string;
  /** Takes no more connections. Resolves when all answers are sent. */
  stop(): Promise<void>;
  /** Ends all connections, whatever they are in the middle of. */
  destroy(): void;
}

export type Listen = (answer: Answer, at: Listening) => Promise<HttpServer>;

/** What a platform brings along; all else is the same on each. */
export interface Platform {
  readonly fileKv: FileKv;
  readonly listen: Listen;
}

/** Serves what the command line says. */
export const serve = ({ fileKv, listen }: Platform): Promise<void> =>
  command(async (flags) => served(await proactorOf(flags, fileKv), flags, listen));

/** Puts a proactor behind a server. */
export async function served(
  app: Pick<Proactor, "fetch" | "shutdown">,
  at: Listening,
  listen: Listen,
): Promise<Serving> {
  const server = await listen((request) => app.fetch(request), at);
  return {
    url: server.url,
    async end(mode) {
      await Promise.all([app.shutdown(mode), mode === "graceful" && server.stop()]);
      if (mode === "now") server.destroy();
    },
  };
}
