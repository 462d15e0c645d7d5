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
  const host = headers.host || "localhost";
  // What follows one of these would be taken for the path, by which a guest's routes could be got round.
  if (/[/\\?#]/.test(host)) return undefined;
  try {
    return new Request(url.startsWith("/") ? `http://${host}${url}` : url, {
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

/** How a body is framed and what becomes of the connection is the server's to say: a guest could split its answer. */
const FRAMING = new Set(["connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"]);

/** What a guest says of its body's length, if it is a number and can be true. HEAD and 304 speak of a body elsewhere. */
function lengthOf({ body, headers, status }: Response, method: string | undefined): number | undefined {
  const length = headers.get("content-length") ?? "";
  if (!/^\d{1,15}$/.test(length)) return undefined;
  return body || method === "HEAD" || status === 304 || Number(length) === 0 ? Number(length) : undefined;
}

/** Ends a body with an error if it is not so long: what is too much would be read as the connection's next answer. */
function exactly(length: number) {
  return async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let left = length;
    for await (const chunk of chunks) {
      left -= chunk.length;
      if (left < 0) throw new Error("the body is longer than its content-length");
      yield chunk;
    }
    if (left > 0) throw new Error("the body is shorter than its content-length");
  };
}

async function send(response: Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { body, headers, status, statusText } = response;
  if (outgoing.destroyed) return body?.cancel();
  const length = lengthOf(response, incoming.method);
  const pairs = [...headers].filter(([name]) => !FRAMING.has(name)).flat();
  if (length !== undefined) pairs.push("content-length", `${length}`);
  if (statusText) outgoing.writeHead(status, statusText, pairs);
  else outgoing.writeHead(status, pairs);
  if (!body || incoming.method === "HEAD") {
    outgoing.end();
    return body?.cancel();
  }
  // Some wait for the head alone, however long the body takes.
  outgoing.flushHeaders();
  const chunks = Readable.fromWeb(body as never);
  if (length === undefined) await pipeline(chunks, outgoing);
  else await pipeline(chunks, exactly(length), outgoing);
}
