// HTTP: serves a function from request to response by node:http, and counts what its callers broke off.

import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export class HttpServer {
  /** Exchanges that have not ended. */
  open = 0;
  /** Exchanges whose caller went away before their end. */
  aborted = 0;
  readonly #server: Server;

  private constructor(answer: (request: Request) => Promise<Response>) {
    this.#server = createServer((incoming, outgoing) => {
      this.open++;
      let broken = false;
      outgoing.once("close", () => {
        this.open--;
        if (!outgoing.writableFinished && !broken) this.aborted++;
      });
      serve(incoming, outgoing, answer).catch(() => {
        broken = true;
        outgoing.destroy();
      });
    });
  }

  /** Listens on any free port of the loopback interface. */
  static async listen(answer: (request: Request) => Promise<Response>): Promise<HttpServer> {
    const server = new HttpServer(answer);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answer: (request: Request) => Promise<Response>,
): Promise<void> {
  const response = await answer(requestOf(incoming));
  if (outgoing.destroyed) return void response.body?.cancel();
  const headers = [...response.headers].flat();
  outgoing.writeHead(response.status, headers);
  // Callers wait for the head alone, too.
  outgoing.flushHeaders();
  if (!response.body) return void outgoing.end();
  await pipeline(Readable.fromWeb(response.body as never), outgoing);
}

function requestOf(incoming: IncomingMessage): Request {
  const { method = "GET", rawHeaders, url } = incoming;
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at]!, rawHeaders[at + 1]!);
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? { body: Readable.toWeb(incoming), duplex: "half" } : {};
  return new Request(`http://${headers.get("host")}${url}`, { method, headers, ...body } as RequestInit);
}
