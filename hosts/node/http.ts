// HTTP: answers node:http by a function from Request to Response.

import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Answer, HttpServer, Listening } from "../serve.ts";

/** Listens; port 0 is any that is free. */
export async function listen(answer: Answer, { hostname, port }: Listening): Promise<HttpServer> {
  const server = createServer((incoming, outgoing) => {
    // What is left of a connection when the server stops is this one answer.
    outgoing.once("finish", () => server.listening || setImmediate(() => server.closeIdleConnections()));
    exchange(incoming, outgoing, answer).catch((error: Error) => {
      // Once the head is gone, a broken connection is all that can still tell the client.
      if (outgoing.headersSent) outgoing.destroy(error);
      else outgoing.writeHead(500).end();
    });
  });
  server.listen(port, hostname);
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`,
    async stop() {
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
    destroy: () => server.closeAllConnections(),
  };
}

async function exchange(incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => outgoing.writableFinished || gone.abort(new Error("the client went away")));
  const request = requestOf(incoming, gone.signal);
  if (!request) return void outgoing.writeHead(400, { connection: "close" }).end();
  await send(await answer(request), incoming, outgoing);
}

/** None if it is no request that there can be, such as one whose host is none. */
function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request | undefined {
  const { headers, method = "GET", rawHeaders, url = "/" } = incoming;
  const hasBody =
    method !== "GET" && method !== "HEAD" && ("transfer-encoding" in headers || "content-length" in headers);
  try {
    return new Request(url.startsWith("/") ? `http://${headers.host ?? "localhost"}${url}` : url, {
      method,
      signal,
      headers: pairsOf(rawHeaders),
      ...(hasBody && { body: bodyOf(incoming), duplex: "half" }),
    });
  } catch {
    return undefined;
  }
}

const pairsOf = (raw: readonly string[]): [string, string][] =>
  Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2]!, raw[index * 2 + 1]!]);

/** Not `Readable.toWeb`: who lets go of such a body ends the connection, and with it the answer. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming.iterator({ destroyOnReturn: false });
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        // What else comes is received and forgotten, so that the connection can be used again.
        await chunks.return!();
        incoming.resume();
      },
    },
    { highWaterMark: 0 },
  );
}

async function send(response: Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { body, headers, status, statusText } = response;
  if (outgoing.destroyed) return body?.cancel();
  const pairs = [...headers].flat();
  if (statusText) outgoing.writeHead(status, statusText, pairs);
  else outgoing.writeHead(status, pairs);
  if (!body || incoming.method === "HEAD") {
    outgoing.end();
    return body?.cancel();
  }
  // Some wait for the head alone, however long the body takes.
  outgoing.flushHeaders();
  await pipeline(Readable.fromWeb(body as never), outgoing);
}
