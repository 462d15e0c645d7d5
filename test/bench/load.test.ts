// The load: every answer is counted once, at its end, however its bytes come.

import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, expect, test } from "vitest";
import { Load } from "../../bench/load.ts";

const load = new Load();
afterAll(() => load.stop());

/** Answers every request with these pieces, each in a write of its own; tells how many requests there were. */
async function serve(pieces: string[]): Promise<{ url: string; requests(): number; stop(): void }> {
  let requests = 0;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.setNoDelay();
    let left = 0;
    socket.on("data", (bytes) => {
      const text = bytes.toString("latin1");
      const head = left === 0 ? text.indexOf("\r\n\r\n") + 4 : 0;
      if (left === 0) left = Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0);
      left -= bytes.length - head;
      if (left > 0) return;
      requests++;
      void (async () => {
        for (const piece of pieces) {
          socket.write(piece);
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
    });
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests, stop };
}

const OK = "HTTP/1.1 200 OK\r\n";

test.for<[what: string, pieces: string[], length: number]>([
  ["a body with its length", [`${OK}Content-Length: 5\r\n\r\nhello`], 5],
  ["no body", [`${OK}content-length: 0\r\n\r\n`], 0],
  ["a head in pieces", ["HTTP/1.1 2", "00 OK\r\ncontent-length: 3\r", "\n\r", "\nabc"], 3],
  ["a body in pieces", [`${OK}content-length: 6\r\n\r\nab`, "cd", "ef"], 6],
  ["chunks", [`${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n`], 8],
  [
    "chunks in pieces",
    [`${OK}transfer-encoding: chunked\r\n\r\n`, "1", "0\r\n0123456789", "abcdef\r", "\n0\r\n", "\r\n"],
    16,
  ],
])("load: %s", async ([, pieces, length]) => {
  const server = await serve(pieces);
  const { answers, lengths, p50, p999 } = await load.ask(server.url, { path: "/", connections: 4, seconds: 0.02 });
  server.stop();
  expect(answers).toBe(server.requests());
  expect(answers).toBeGreaterThanOrEqual(4);
  expect(lengths).toEqual([length]);
  expect(p999).toBeGreaterThanOrEqual(p50);
});

test("load: a body is sent whole", async () => {
  const server = await serve([`${OK}content-length: 2\r\n\r\nok`]);
  const asked = { path: "/", bodyBytes: 1_000_000, connections: 2, seconds: 0.02 };
  const { answers } = await load.ask(server.url, asked);
  server.stop();
  expect(answers).toBe(server.requests());
});

test("load: a connection that was forgotten before it was heard is made again", async () => {
  const answering = await serve([`${OK}content-length: 2\r\n\r\nok`]);
  let refused = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    if (refused++ < 3) return void socket.resetAndDestroy();
    const through = connect(Number(new URL(answering.url).port));
    through.on("error", () => {});
    socket.pipe(through).pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { answers } = await load.ask(url, { path: "/", connections: 2, seconds: 0.02 });
  server.close();
  answering.stop();
  expect(answers).toBe(answering.requests());
});

test.for<[what: string, pieces: string[], error: string]>([
  ["another status", ["HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n"], "the answer is HTTP/1.1 500 Broken"],
  ["bytes behind the answer", [`${OK}content-length: 1\r\n\r\nab`], "something behind"],
  ["a body without an end", [`${OK}\r\n`], "has no end"],
])("load: %s is an error", async ([, pieces, error]) => {
  const server = await serve(pieces);
  await expect(load.ask(server.url, { path: "/", connections: 1, seconds: 0.02 })).rejects.toThrow(error);
  server.stop();
});
