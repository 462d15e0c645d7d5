// Rule 9: errors are small negative numbers in three bands, append-only. HTTP 4xx and 5xx are successes with the
// status in the auxiliary word. The host's message travels as the payload. An unknown negative number is a failure.

import { expect, test } from "vitest";
import {
  COMPLETION_BYTES,
  COMPLETION_FLAGS,
  COMPLETION_STATUS,
  FETCH_BODY,
  MORE,
  Opcode,
  Status,
} from "../../assembly/abi.ts";
import { kv, origin } from "../../src/index.ts";
import type { KvStore } from "../../src/index.ts";
import { Simulation } from "../../src/testing/index.ts";
import { guest } from "./guest.ts";
import { fetch, get, puppet, read, respond, text } from "./puppet.ts";
import type { Completion, Submission } from "./puppet.ts";

/** Submits one operation and returns its completion. */
async function once(
  resources: Parameters<typeof puppet>[0] & object,
  submission: (open: (name: string) => number, exchange: number) => Submission,
): Promise<Completion> {
  let done: Completion | undefined;
  const stage = await puppet(resources);
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(submission((name) => puppet.open(name), exchange));
    done = (yield)[0];
    puppet.submit(respond(exchange));
    yield;
  });
  return done!;
}

test("rule 9: published numbers keep their meaning; new ones are appended to their band", () => {
  const published = {
    Ok: 0,
    Invalid: -1,
    Fault: -2,
    BadResource: -3,
    NotPermitted: -4,
    NotSupported: -5,
    Again: -6,
    NotFound: -7,
    Cancelled: -8,
    TimedOut: -9,
    TooBig: -10,
    Closed: -11,
    ShutDown: -12,
    Failed: -13,
    Network: -32,
    Aborted: -33,
    Redirect: -34,
    Quota: -64,
    Precondition: -65,
    RateLimited: -66,
  };
  expect(Status).toMatchObject(published);
  const names = Object.keys(Status).filter((name) => Number.isNaN(Number(name)));
  for (const name of names) {
    const status = Status[name as keyof typeof Status] as number;
    expect(status <= 0 && status >= -95, `${name} lies in a band`).toBe(true);
  }
  const opcodes = { Noop: 0, Cancel: 1, Close: 2, Timer: 3, Accept: 4, Respond: 5, Read: 6, Fetch: 7 };
  expect(Opcode).toMatchObject({ ...opcodes, KvGet: 8, KvPut: 9, KvDelete: 10, KvList: 11 });
});

test.for([404, 418, 500, 503, 599])("rule 9: HTTP status %i is a success of the fetch", async (status) => {
  for (const flags of [0, FETCH_BODY]) {
    const simulation = new Simulation();
    const api = simulation.origin("https://api.test", () => new Response("sorry", { status }));
    const done = await once({ simulation, resources: { API: api } }, (open) => ({ ...fetch(open("API"), "/"), flags }));
    expect([done.status, done.auxiliary]).toEqual([Status.Ok, status]);
    if (flags) expect(text(done.payload)).toMatch(/sorry$/);
    expect(simulation.openBodies).toBe(0);
  }
});

/** A store whose `get` rejects with this. */
const failingStore = (error: unknown): KvStore => {
  const fail = (): Promise<never> => Promise.reject(error);
  return { get: fail, getWithMetadata: fail, put: fail, delete: fail, list: fail };
};

class AlienError {
  toString(): string {
    return "not an Error at all";
  }
}

test.for<[what: string, error: unknown, status: Status]>([
  ["429", new Error("KV GET failed: 429 Too Many Requests"), Status.RateLimited],
  ["exceeded limit", new Error("Value length of 30000000 exceeds limit of 26214400."), Status.TooBig],
  ["413", new Error("KV PUT failed: 413 Value too large"), Status.TooBig],
  ["400", new Error("KV GET failed: 400 Invalid key"), Status.Invalid],
  ["quota", new Error("account quota used up"), Status.Quota],
  ["unknown words", new Error("something nobody has thought of"), Status.Failed],
  ["a string", "a string", Status.Failed],
  ["nothing", undefined, Status.Failed],
  ["null", null, Status.Failed],
  ["an alien error", new AlienError(), Status.Failed],
  ["an object without prototype", Object.create(null), Status.Failed],
  ["a symbol", Symbol("even this"), Status.Failed],
  ["ill-formed text", new Error("ill-formed \ud800 text"), Status.Failed],
])("rule 9: a store that rejects with %s", async ([, error, status]) => {
  const done = await once({ resources: { STORE: kv(failingStore(error)) } }, (open) => get(open("STORE"), "key"));
  expect([done.status, done.auxiliary, done.resource]).toEqual([status, 0, 0]);
  if (error instanceof Error) expect(text(done.payload)).toBe(error.message.toWellFormed());
});

test("rule 9: a message is cut to a length that any arena holds", async () => {
  const store = kv(failingStore(new Error("é".repeat(100_000))));
  const done = await once({ resources: { STORE: store } }, (open) => get(open("STORE"), "key"));
  expect(text(done.payload)).toBe("é".repeat(1024));
});

test.for<[string, unknown, Status]>([
  ["a broken connection", new TypeError("fetch failed"), Status.Network],
  ["an abort that nobody asked for", new DOMException("gone", "AbortError"), Status.Network],
  ["a string", "no", Status.Network],
  ["nothing", undefined, Status.Network],
])("rule 9: a fetch that rejects with %s is a failure of the transport", async ([, error, status]) => {
  const api = origin("https://api.test", { fetcher: { fetch: () => Promise.reject(error) } });
  const done = await once({ resources: { API: api } }, (open) => fetch(open("API"), "/"));
  expect(done.status).toBe(status);
});

test("rule 9: a body that breaks off is Aborted, with the host's words", async () => {
  const body = new ReadableStream({ pull: (controller) => controller.error(new Error("the peer hung up")) });
  let done: Completion | undefined;
  const stage = await puppet();
  const request = new Request("http://puppet.test/", { method: "POST", body, duplex: "half" } as RequestInit);
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(read(exchange));
    done = (yield)[0];
    puppet.submit(respond(exchange));
    yield;
  }, request);
  expect([done!.status, text(done!.payload)]).toEqual([Status.Aborted, "the body broke off: the peer hung up"]);
});

test("rule 9: a status that the guest does not know is a failure like any other", async () => {
  let memory: WebAssembly.Memory;
  const simulation = new Simulation();
  const { ask } = await guest("test/contract", {
    simulation,
    memory: false,
    resources: { CACHE: simulation.kv() },
    exports: (exports) => {
      memory = exports.memory;
      return {};
    },
    imports: (imports) => ({
      ...imports,
      proactor_v1: {
        ...imports["proactor_v1"],
        poll: (...args) => {
          const count = imports["proactor_v1"]!["poll"]!(...args);
          const view = new DataView(memory.buffer);
          for (let index = 0; index < count; index++) {
            const at = args[0]! + index * COMPLETION_BYTES;
            const isRequest = (view.getUint32(at + COMPLETION_FLAGS, true) & MORE) !== 0;
            if (!isRequest) view.setInt32(at + COMPLETION_STATUS, -12_345, true);
          }
          return count;
        },
      },
    }),
  });
  const { status, text } = await ask("/status");
  expect([status, JSON.parse(text)]).toMatchObject([200, { status: -12_345, found: false }]);
});
