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
