// What lies between node:http and a function from Request to Response. The routes are checked over it by the HTTP suite.

import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { listen } from "../../hosts/node/http.ts";
import type { Answer, HttpServer } from "../../hosts/serve.ts";

let server: HttpServer | undefined;

afterEach(async () => {
  server?.destroy();
  await server?.stop();
});

async function start(answer: Answer): Promise<string> {
  server = await listen(answer, { hostname: "127.0.0.1", port: 0 });
  return server.url;
}

/** Sends text as it is; what comes back until the connection ends. */
async function sendRaw(url: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write(request);
  return text(socket);
}

const never = (): Promise<never> => new Promise(() => {});

test("node http: the request is whole, repeated headers and body included", async () => {
  const url = await start(async (request) =>
    Response.json([request.method, request.url, request.headers.get("x-a"), await request.text()]),
  );
  const response = await fetch(`${url}/a//b?c=%20`, {
    method: "PUT",
    body: "body",
    headers: [
      ["x-a", "1"],
      ["x-a", "2"],
    ],
  });
  expect(await response.json()).toEqual(["PUT", `${url}/a//b?c=%20`, "1, 2", "body"]);
});

test("node http: a target may be a whole URL, as proxies send it", async () => {
  const url = await start(async (request) => new Response(request.url));
  const request = "GET http://other.test/path HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
  expect(await sendRaw(url, request)).toContain("http://other.test/path");
});

test("node http: what can be no request is refused, and the server goes on", async () => {
  const url = await start(async () => new Response("fine"));
  expect(await sendRaw(url, "GET / HTTP/1.1\r\nhost: a b\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
  expect(await sendRaw(url, "TRACE / HTTP/1.1\r\nhost: a\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
  expect(await (await fetch(url)).text()).toBe("fine");
});

test("node http: a host is no part of the path", async () => {
  const url = await start(async (request) => new Response(request.url));
  for (const host of ["x/admin?a=", "x/admin#", "x\\admin", "x?", "/", "x/"])
    expect(await sendRaw(url, `GET /public HTTP/1.1\r\nhost: ${host}\r\n\r\n`), host).toMatch(/^HTTP\/1.1 400 /);
  for (const lines of ["HTTP/1.1\r\nhost:\r\nconnection: close", "HTTP/1.0"])
    expect(await sendRaw(url, `GET /public ${lines}\r\n\r\n`), lines).toContain("http://localhost/public");
});

const head = (method: string, path: string): string => `${method} ${path} HTTP/1.1\r\nhost: a\r\n`;

/** A guest's odd answers, by path; the second of two requests on one connection shows what the first did to it. */
async function startOdd(
  answers: Record<string, () => Response>,
): Promise<(path: string, method?: string) => Promise<string>> {
  const url = await start(async (request) => answers[new URL(request.url).pathname]?.() ?? new Response("second"));
  return (path, method = "GET") =>
    sendRaw(url, `${head(method, path)}\r\n${head("GET", "/second")}connection: close\r\n\r\n`);
}

const saying =
  (headers: Record<string, string>, body: string | null, status = 200) =>
  (): Response =>
    new Response(body, { status, headers });

const SPLIT = "okHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad";

/** Its first piece alone is as long as is said. */
function inPieces(): Response {
  const body = new ReadableStream({
    start(controller) {
      for (const piece of ["ok", SPLIT]) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-length": "2" } });
}

test("node http: a body that is not as long as its head says breaks the connection off, and no answer follows it", async () => {
  const sendBoth = await startOdd({
    "/long": saying({ "content-length": "2" }, SPLIT),
    "/pieces": inPieces,
    "/short": saying({ "content-length": "1000" }, "ok"),
    "/none": saying({ "content-length": "0" }, "ok"),
  });
  for (const path of ["/long", "/pieces", "/short", "/none"]) {
    const answer = await sendBoth(path).catch(String);
    expect([...answer.matchAll(/HTTP\/1/g)], path).toHaveLength(1);
    expect(answer, path).not.toMatch(/bad|second/);
  }
});

test("node http: a length that is right is handed on, and one that speaks of no body or is no number is not", async () => {
  const sendBoth = await startOdd({
    "/right": saying({ "content-length": "2" }, "ok"),
    "/empty": saying({ "content-length": "0" }, ""),
    "/zero": saying({ "content-length": "0" }, null),
    "/304": saying({ "content-length": "5" }, null, 304),
    "/none": saying({ "content-length": "5" }, null),
    "/204": saying({ "content-length": "5" }, null, 204),
    "/205": saying({ "content-length": "5" }, null, 205),
    "/words": saying({ "content-length": "2, 2" }, "ok"),
    "/hex": saying({ "content-length": "0x2" }, "ok"),
  });
  for (const [path, method, length] of [
    ["/right", "GET", "2"],
    ["/right", "HEAD", "2"],
    ["/empty", "GET", "0"],
    ["/304", "GET", "5"],
    ["/zero", "GET", "0"],
    ["/none", "GET", undefined],
    ["/none", "HEAD", "5"],
    ["/204", "GET", undefined],
    ["/205", "GET", undefined],
    ["/words", "GET", undefined],
    ["/hex", "GET", undefined],
  ] as const) {
    const answer = await sendBoth(path, method);
    const [first, ...others] = answer.split(/(?=HTTP\/1\.1 )/);
    expect([path, /content-length: (.*)/i.exec(first!)?.[1]]).toEqual([path, length]);
    expect(others, path).toEqual([expect.stringContaining("second")]);
  }
});

test("node http: how a body is framed, and what becomes of the connection, is not a guest's to say", async () => {
  const sendBoth = await startOdd({
    "/gzip": saying({ "transfer-encoding": "gzip" }, SPLIT),
    "/both": saying({ "transfer-encoding": "chunked", "content-length": `${SPLIT.length}` }, SPLIT),
    "/close": saying({ connection: "close", "keep-alive": "timeout=1000" }, "ok"),
    "/offer": saying({ connection: "upgrade", upgrade: "websocket" }, "ok"),
    "/trailer": saying({ trailer: "x-a", "content-length": "2" }, "ok"),
  });
  for (const [path, framing] of [
    ["/gzip", "transfer-encoding: chunked"],
    ["/both", `content-length: ${SPLIT.length}`],
    ["/close", "transfer-encoding: chunked"],
    ["/offer", "transfer-encoding: chunked"],
    ["/trailer", "content-length: 2"],
  ] as const) {
    const answer = (await sendBoth(path)).toLowerCase();
    const head = answer.slice(0, answer.indexOf("\r\n\r\n"));
    expect(head.match(/(transfer-encoding|content-length): .*/g), path).toEqual([framing]);
    expect(head, path).not.toMatch(/close|timeout=1000|upgrade|trailer/);
    expect(answer, path).toContain("second");
  }
});

test("node http: the head is sent before the body is there", async () => {
  const url = await start(async () => new Response(new ReadableStream({ pull: never }), { status: 201 }));
  const response = await fetch(url);
  expect(response.status).toBe(201);
  await response.body!.cancel();
});

test("node http: an answer that breaks off breaks the connection, and the server goes on", async () => {
  const url = await start(async (request) => {
    if (request.url.endsWith("/fine")) return new Response("fine");
    if (request.url.endsWith("/none")) throw new Error("no answer");
    let pulls = 0;
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (pulls++ > 0) throw new Error("broken");
          controller.enqueue(new Uint8Array(10));
        },
      }),
    );
  });
  expect((await fetch(`${url}/none`)).status).toBe(500);
  await expect((await fetch(`${url}/broken`)).text()).rejects.toThrow("terminated");
  expect(await (await fetch(`${url}/fine`)).text()).toBe("fine");
});

test("node http: the signal is aborted when a client goes away, and never after its answer", async () => {
  const signals: AbortSignal[] = [];
  const url = await start(async (request) => {
    signals.push(request.signal);
    return request.url.endsWith("/never") ? never() : new Response("fine");
  });
  await (await fetch(url)).text();
  const client = new AbortController();
  const left = fetch(`${url}/never`, { signal: client.signal });
  await expect.poll(() => signals.length).toBe(2);
  client.abort();
  await expect(left).rejects.toThrow("aborted");
  await expect.poll(() => signals[1]!.aborted).toBe(true);
  expect(signals[0]!.aborted).toBe(false);
});

test("node http: a body that is let go of is received, and the connection used again", async () => {
  const url = await start(async (request) => {
    await request.body?.cancel();
    return new Response("unread");
  });
  const head = "POST / HTTP/1.1\r\nhost: a\r\n";
  const unread = `${head}content-length: 300000\r\n\r\n${"x".repeat(300_000)}`;
  const both = `${unread}${head}connection: close\r\n\r\n`;
  expect([...(await sendRaw(url, both)).matchAll(/HTTP\/1.1 200/g)]).toHaveLength(2);
});

test("node http: a server that stops answers what it has begun, and nothing else", async () => {
  let answer: ((response: Response) => void) | undefined;
  const url = await start(() => new Promise((resolve) => (answer = resolve)));
  const begun = fetch(url);
  await expect.poll(() => answer !== undefined).toBe(true);
  const stopped = server!.stop();
  await expect(fetch(url)).rejects.toThrow("fetch failed");
  answer!(new Response("last"));
  expect(await (await begun).text()).toBe("last");
  await stopped;
});

test("node http: a server that is destroyed ends what it has begun", async () => {
  let begun = false;
  const url = await start(() => ((begun = true), never()));
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await expect.poll(() => begun).toBe(true);
  server!.destroy();
  await once(socket, "close");
});
