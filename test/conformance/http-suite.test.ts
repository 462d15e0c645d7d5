// The HTTP suite itself: whether its checks notice what they are for. Hosts are judged by `npm run conformance:http`.

import { readFile } from "node:fs/promises";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { Check, Send, Stats, Subject } from "../../conformance/http/check.ts";
import { perform } from "../../conformance/http/perform.ts";
import type { Outcome } from "../../conformance/http/perform.ts";
import { CHECKS } from "../../conformance/http/suite.ts";
import { tableOf } from "../../conformance/http/table.ts";
import { path } from "../../scripts/paths.ts";
import { Proactor, kv, origin } from "../../src/index.ts";
import type { Fetcher } from "../../src/index.ts";
import { memoryKv } from "../../src/node.ts";
import upstream from "../../scripts/upstream.ts";

const UPSTREAM = "http://upstream.internal";
const checksNamed = (begin: string): Check[] => CHECKS.filter(({ name }) => name.startsWith(begin));

let module: WebAssembly.Module;

beforeAll(async () => {
  module = await WebAssembly.compile(await readFile(path("build/worker.wasm")));
});
afterEach(() => vi.useRealTimers());

async function stats(method: string): Promise<Stats> {
  return (await upstream.fetch(new Request(`${UPSTREAM}/stats`, { method }))).json() as Promise<Stats>;
}

const fetcher: Fetcher = { fetch: (url, init) => upstream.fetch(new Request(url, init)) };

/** A host in this process, without a socket; `spoil` stands between it and whoever asks. */
async function subjectWith(spoil: (send: Send) => Send = (send) => send): Promise<Subject> {
  const resources = { CACHE: kv(memoryKv()), UPSTREAM: origin(UPSTREAM, { fetcher }) };
  const app = new Proactor(module, { resources });
  const send: Send = async (path, init) => {
    const request = new Request(`http://here.test${path}`, init);
    const response = await app.fetch(request);
    request.signal.throwIfAborted();
    if (request.method !== "HEAD") return response;
    await response.body?.cancel();
    return new Response(null, response);
  };
  return {
    send: spoil(send),
    stats: () => stats("GET"),
    resetStats: async () => void (await stats("DELETE")),
    run: "r",
  };
}

async function outcomesOf(checks: readonly Check[], subject: Subject): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for await (const outcome of perform(checks, subject)) outcomes.push(outcome);
  return outcomes;
}

/** The same, without waiting for what never comes. */
async function hastily<T>(promise: Promise<T>): Promise<T> {
  vi.useFakeTimers();
  const state = { done: false };
  const finished = promise.finally(() => (state.done = true));
  while (!state.done) await vi.advanceTimersByTimeAsync(1_000);
  return finished;
}

const namesOf = (outcomes: readonly Outcome[], is: Outcome["is"]): string[] =>
  outcomes.filter((outcome) => outcome.is === is).map(({ name }) => name);

const IMPOSTOR: Subject = {
  send: async () => new Response("whatever", { status: 299 }),
  stats: async () => ({ requests: 3, active: 0, peak: 3, aborted: 3 }),
  resetStats: async () => {},
  run: "r",
};

test("HTTP suite: no check is fooled by a host that says the same to everything", async () => {
  const outcomes = await hastily(outcomesOf(CHECKS, IMPOSTOR));
  expect(namesOf(outcomes, "FAILED")).toEqual(CHECKS.map(({ name }) => name));
});

/** What may go wrong between a host and its clients, and the beginning of the check that notices. */
const SPOILT: [what: string, check: string, spoil: (send: Send) => Send][] = [
  ["HEAD has a body", "hello: HEAD", (send) => (path, init) => send(path, { ...init, method: "GET" })],
  [
    "cookies are merged",
    "proxy: two cookies",
    (send) => async (path, init) => {
      const response = await send(path, init);
      const headers = new Headers({ "set-cookie": response.headers.getSetCookie().join(", ") });
      return new Response(response.body, { headers });
    },
  ],
  [
    "a body loses its last byte",
    "proxy: 20 MB",
    (send) => async (path, init) => {
      const bytes = new Uint8Array(await (await send(path, init)).arrayBuffer());
      return new Response(bytes.subarray(1));
    },
  ],
  ["paths are made tidy", "proxy: leads nowhere", (send) => (path, init) => send(path.replaceAll(/\/+/g, "/"), init)],
  [
    "a client that goes away is not heard",
    "clients: one that goes away while /proxy",
    (send) => async (path, init) => {
      void send(path, { ...init, signal: null });
      return new Promise((_, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new Error("gone")));
      });
    },
  ],
  [
    "answers are mixed up",
    "overlap: 300",
    (send) => {
      const waiting: ((response: Response) => void)[] = [];
      return async (path, init) => {
        const mine = new Promise<Response>((resolve) => waiting.push(resolve));
        void send(path, init).then((response) => waiting.shift()!(response));
        return mine;
      };
    },
  ],
  [
    "a key is not decoded",
    "kv: a key is percent-decoded",
    (send) => (path, init) => send(path.replace("%20", "%2520"), init),
  ],
];

test.for(SPOILT)("HTTP suite: notices that %s", async ([, begin, spoil]) => {
  const checks = checksNamed(begin);
  expect(checks).toHaveLength(1);
  expect(namesOf(await outcomesOf(checks, await subjectWith()), "ok")).toHaveLength(1);
  const [outcome] = await hastily(outcomesOf(checks, await subjectWith(spoil)));
  expect(outcome).toMatchObject({ is: "FAILED", difference: expect.stringMatching(/expected|byte|Error/) });
});

test("HTTP suite: what failed has a line of its own in the table, and what was not run a reason", () => {
  const outcomes: Outcome[] = [
    { name: "hello: answers", is: "ok" },
    { name: "hello: HEAD", is: "FAILED", difference: "status" },
    { name: "kv: a key", is: "skipped", reason: "no store" },
  ];
  const columns = [
    { name: "one", outcomes },
    { name: "two", outcomes: [], reason: "there is no two here" },
  ];
  expect(tableOf(columns).split("\n")).toEqual([
    "             one      two",
    "hello        1/2      not run",
    "kv           skipped  not run",
    "hello: HEAD  FAILED   not run",
    "kv: a key    skipped  not run",
    "two was not run: there is no two here",
  ]);
});
