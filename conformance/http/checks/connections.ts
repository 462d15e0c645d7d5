// Connections: what clients do below the level of requests and answers. Needs a socket, so only Node runs it.

import { once } from "node:events";
import { Agent, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { Checks, eventually } from "../check.ts";
import type { Subject } from "../check.ts";
import { expectAnswer, expectEqual } from "../expect.ts";
import { text } from "./answers.ts";

const { all, check } = new Checks();
export const connections = all;

async function connectTo({ address }: Subject): Promise<Socket> {
  const socket = connect(address!.port, address!.hostname);
  await once(socket, "connect");
  return socket;
}

/** A request's head, as a client would write it. */
function head({ address }: Subject, line: string, ...headers: string[]): string {
  return [`${line} HTTP/1.1`, `Host: ${address!.hostname}:${address!.port}`, ...headers, "", ""].join("\r\n");
}

check(
  "connections: a client that goes away in the middle of its request's body harms nobody",
  async (subject) => {
    for (const path of ["/upper", `/kv/${subject.run}/half`]) {
      const socket = await connectTo(subject);
      const method = path === "/upper" ? "POST" : "PUT";
      socket.write(`${head(subject, `${method} ${path}`, "Content-Length: 1000")}ten bytes!`);
      await expectAnswer(await subject.send("/hello"), text("hello"));
      socket.destroy();
      await expectAnswer(await subject.send("/hello"), text("hello"));
    }
    await expectAnswer(await subject.send(`/kv/${subject.run}/half`), { status: 404 });
  },
  "address",
);

check(
  "connections: a socket that is torn down while the upstream works ends that work",
  async (subject) => {
    const socket = await connectTo(subject);
    socket.write(head(subject, "GET /proxy/slow?delay=20000"));
    const waiting = { requests: 1, active: 1, peak: 1, aborted: 0 };
    await eventually("the upstream", subject.stats, waiting).finally(() => socket.resetAndDestroy());
    await eventually("the upstream", subject.stats, { ...waiting, active: 0, aborted: 1 });
  },
  "address",
);

check(
  "connections: a body that nobody reads does not spoil the next request on its connection",
  async ({ address }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const unread = "GET /hello HTTP/1.1\r\n\r\n".repeat(1000);
    for (const [method, path, status] of [
      ["POST", "/nowhere", 404],
      ["GET", "/hello", 200],
      ["PUT", "/hello", 405],
      ["POST", "/upper", 200],
    ] as const) {
      const asked = request({ ...address!, method, path, agent }).end(method === "GET" ? "" : unread);
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      expectEqual(response.statusCode, status, `status of ${method} ${path}`);
      expectEqual((await textOf(response)).length > 0, true, `${method} ${path} is answered with a body`);
    }
    agent.destroy();
  },
  "address",
);

check(
  "connections: what is no HTTP is refused, and harms nobody",
  async (subject) => {
    const socket = await connectTo(subject);
    socket.on("error", () => {});
    socket.write("this is no request\r\n\r\n");
    const [first] = (await textOf(socket).catch(() => "")).split("\r\n");
    expectEqual(first === "" || /^HTTP\/1\.[01] [45]\d\d/.test(first!), true, `refused, not answered with ${first}`);
    await expectAnswer(await subject.send("/hello"), text("hello"));
  },
  "address",
);

check(
  "connections: dots in a path are worked out before the guest sees it",
  async (subject) => {
    for (const target of ["/nothing/../hello", "/nothing/%2e%2E/hello", "/./hello", "/../hello?a=/../b"]) {
      const socket = await connectTo(subject);
      socket.write(head(subject, `GET ${target}`, "Connection: close"));
      const answer = await textOf(socket);
      // The body may come in chunks.
      const body = answer.slice(answer.indexOf("\r\n\r\n"));
      expectEqual([answer.split(" ")[1], body.includes("hello")], ["200", true], `${target} is /hello`);
    }
  },
  "address",
);
