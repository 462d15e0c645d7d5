// Rule 12: a guest reaches only what it was granted by name, and only with the rights granted. NotSupported (the host
// has no such operation) differs from NotPermitted.

import { expect, test } from "vitest";
import { FETCH_BODY, Opcode, RedirectMode, Status } from "../../assembly/abi.ts";
import { kv, origin } from "../../src/index.ts";
import type { Grants, KvRight } from "../../src/index.ts";
import { memoryKv } from "../../src/kv-memory.ts";
import { Simulation } from "../../src/testing/index.ts";
import { close, fetch, get, noop, post, puppet, put, read, respond, stream, text } from "./puppet.ts";
import type { Completion, Puppet, Submission } from "./puppet.ts";

/** The completions of one batch, in the order of submission. */
async function ask(
  options: Parameters<typeof puppet>[0] & object,
  batch: (puppet: Puppet, exchange: number) => Submission[],
): Promise<Completion[]> {
  const stage = await puppet(options);
  const done: Completion[] = [];
  await stage.serve(function* (exchange, puppet) {
    const submissions = batch(puppet, exchange);
    puppet.submit(...submissions);
    while (done.length < submissions.length) done.push(...(yield));
    puppet.submit(respond(exchange));
    yield;
  });
  return done.toSorted((a, b) => a.slot - b.slot);
}

const statuses = (done: Completion[]): Status[] => done.map(({ status }) => status);

test.for<[KvRight[]]>([[[]], [["read"]], [["write"]], [["list"]], [["read", "write"]], [["read", "write", "list"]]])(
  "rule 12: a namespace granted with %j permits that and nothing else",
  async ([rights]) => {
    const allowed = (right: KvRight): Status => (rights.includes(right) ? Status.Ok : Status.NotPermitted);
    const store = memoryKv();
    await store.put("key", new ArrayBuffer(1), {});
    const done = await ask({ resources: { STORE: kv(store, { rights }) } }, (puppet) => {
      const number = puppet.open("STORE");
      return [
        get(number, "key"),
        put(number, "key", "value"),
        { opcode: Opcode.KvList, resource: number },
        { opcode: Opcode.KvDelete, resource: number, name: "key" },
      ];
    });
    expect(statuses(done)).toEqual([allowed("read"), allowed("write"), allowed("list"), allowed("write")]);
  },
);

test.for(["", "MISSING", "store", "STORE ", "toString", "__proto__", "constructor", "hasOwnProperty", "\u0000"])(
  "rule 12: %j was not granted, so it is not found, and the owner is told",
  async (name) => {
    const stage = await puppet({ resources: { STORE: new Simulation().kv() } });
    await stage.serve(function* (exchange, puppet) {
      expect(puppet.open(name)).toBe(Status.NotFound);
      puppet.submit(respond(exchange));
      yield;
    });
    expect(stage.reports).toMatchObject([
      { kind: "open", message: `the module asked for "${name}"; granted are: STORE` },
    ]);
  },
);

test("rule 12: a grant called __proto__ is a grant like any other", async () => {
  const resources = JSON.parse('{ "__proto__": null }') as Grants;
  Object.defineProperty(resources, "__proto__", { value: kv(memoryKv()), enumerable: true });
  const [done] = await ask({ resources }, (puppet) => [put(puppet.open("__proto__"), "key", "value")]);
  expect(done!.status).toBe(Status.Ok);
});

/** Every operation on a namespace. */
const onStore = (resource: number): Submission[] => [
  get(resource, "key"),
  put(resource, "key", "value"),
  { opcode: Opcode.KvDelete, resource, name: "key" },
  { opcode: Opcode.KvList, resource },
];

test("rule 12: every operation on a resource of another kind, or none, is BadResource", async () => {
  const simulation = new Simulation({ delay: [0, 0] });
  const resources = { STORE: simulation.kv(), API: simulation.origin("https://api.test", () => new Response("body")) };
  const done = await ask({ simulation, resources }, (puppet, exchange) => {
    const [store, api] = [puppet.open("STORE"), puppet.open("API")];
    const none = [0, 4711, 0x7fff_ffff, 0xffff_ffff];
    return [
      ...[api, exchange, ...none].flatMap(onStore),
      ...[store, exchange, ...none].map((resource) => fetch(resource, "/")),
      ...[store, api, ...none].map((resource) => respond(resource)),
      ...[store, api, ...none].map((resource) => read(resource)),
      ...none.map(close),
      // The resource that a body comes from.
      ...[store, api, ...none.slice(1)].map((source) => stream(exchange, source)),
      ...[store, api, ...none.slice(1)].map((source) => post(api, "/", source)),
    ];
  });
  expect(new Set(statuses(done))).toEqual(new Set([Status.BadResource]));
});

const URLS: [url: string, status: Status][] = [
  ["/path", Status.Ok],
  ["path", Status.Ok],
  ["?query", Status.Ok],
  ["https://api.test/path", Status.Ok],
  ["HTTPS://API.TEST/path", Status.Ok],
  ["https://api.test:443/path", Status.Ok],
  ["https://second.test/path", Status.Ok],
  ["http://api.test/path", Status.NotPermitted],
  ["https://api.test:8443/path", Status.NotPermitted],
  ["https://api.test.evil.test/", Status.NotPermitted],
  ["https://evil.test/?https://api.test", Status.NotPermitted],
  ["//evil.test/path", Status.NotPermitted],
  ["\\\\evil.test\\path", Status.NotPermitted],
  ["/\\evil.test", Status.NotPermitted],
  ["https:/\\evil.test", Status.NotPermitted],
  ["https://api.test@evil.test/", Status.Invalid],
  ["https://user:secret@api.test/", Status.Invalid],
  ["https://api.test./path", Status.NotPermitted],
  ["https://xn--api-test", Status.NotPermitted],
  ["wss://api.test/", Status.NotPermitted],
  ["ftp://api.test/", Status.NotPermitted],
  ["file:///etc/passwd", Status.NotPermitted],
  ["data:text/plain,hello", Status.NotPermitted],
  ["blob:https://api.test/3c1a", Status.NotPermitted],
  ["blob:https://user@api.test/3c1a", Status.NotPermitted],
  ["javascript:alert(1)", Status.NotPermitted],
  ["about:blank", Status.NotPermitted],
  ["https://", Status.Invalid],
  ["https://api.test:99999/", Status.Invalid],
  ["https://[::1/", Status.Invalid],
];

test.for(URLS)("rule 12: fetching %s", async ([url, status]) => {
  const seen: string[] = [];
  const simulation = new Simulation({ delay: [0, 0] });
  const api = simulation.origin(
    ["https://api.test", "https://second.test/"],
    ({ url }) => (seen.push(url), new Response()),
  );
  const [done] = await ask({ simulation, resources: { API: api } }, (puppet) => [fetch(puppet.open("API"), url)]);
  expect(done!.status).toBe(status);
  expect(seen).toHaveLength(status === Status.Ok ? 1 : 0);
});

test.for<[string, Status]>([
  ["/next", Status.Ok],
  ["https://second.test/next", Status.Ok],
  ["https://evil.test/next", Status.NotPermitted],
  ["//evil.test/next", Status.NotPermitted],
  ["http://api.test/next", Status.NotPermitted],
  ["blob:https://api.test/3c1a", Status.NotPermitted],
  ["data:text/plain,hello", Status.NotPermitted],
  ["https://user@api.test/next", Status.Redirect],
])("rule 12: a redirect to %s", async ([location, status]) => {
  const seen: string[] = [];
  const simulation = new Simulation({ delay: [0, 0] });
  const upstream = ({ url }: Request): Response => {
    seen.push(url);
    return url.endsWith("/next")
      ? new Response("there")
      : new Response("moved", { status: 302, headers: { location } });
  };
  const api = simulation.origin(["https://api.test", "https://second.test"], upstream);
  const [done] = await ask({ simulation, resources: { API: api } }, (puppet) => [
    { ...fetch(puppet.open("API"), "/"), flags: FETCH_BODY },
  ]);
  expect([done!.status, seen.length]).toEqual([status, status === Status.Ok ? 2 : 1]);
  expect(simulation.openBodies).toBe(0);
});

test("rule 12: what was meant for one origin does not follow a redirect to another", async () => {
  const seen: (string | null)[][] = [];
  const simulation = new Simulation({ delay: [0, 0] });
  const upstream = (request: Request): Response => {
    seen.push(["authorization", "cookie", "proxy-authorization", "x-own"].map((name) => request.headers.get(name)));
    if (request.url === "https://api.test/") return Response.redirect("https://api.test/same", 307);
    return request.url === "https://api.test/same" ? Response.redirect("https://second.test/", 307) : new Response();
  };
  const api = simulation.origin(["https://api.test", "https://second.test"], upstream);
  const headers: [string, string][] = [
    ["Authorization", "a"],
    ["Cookie", "b"],
    ["Proxy-Authorization", "c"],
    ["x-own", "d"],
  ];
  await ask({ simulation, resources: { API: api } }, (puppet) => [fetch(puppet.open("API"), "/", "GET", headers)]);
  expect(seen).toEqual([
    ["a", "b", "c", "d"],
    ["a", "b", "c", "d"],
    [null, null, null, "d"],
  ]);
});

/** A fetch that treats redirects so. */
const mode = (redirect: number): ((puppet: Puppet) => Submission[]) => {
  return (puppet) => [{ ...fetch(puppet.open("API"), "/"), arguments: [0, redirect] }];
};

test("rule 12: a redirect that leads in circles ends, and one that is not to be followed is the result", async () => {
  const simulation = new Simulation({ delay: [0, 0] });
  let hops = 0;
  const api = simulation.origin("https://api.test", () => (hops++, Response.redirect("https://api.test/", 302)));
  const options = { simulation, resources: { API: api }, limits: { redirects: 5 } };
  const [follow] = await ask(options, mode(RedirectMode.Follow));
  expect([follow!.status, hops]).toEqual([Status.Redirect, 6]);
  const [manual] = await ask(options, mode(RedirectMode.Manual));
  expect([manual!.status, manual!.auxiliary, hops]).toEqual([Status.Ok, 302, 7]);
  const [error] = await ask(options, mode(RedirectMode.Error));
  expect([error!.status, hops]).toEqual([Status.Redirect, 8]);
  const [unknown] = await ask(options, mode(3));
  expect([unknown!.status, hops]).toEqual([Status.Invalid, 8]);
});

test.for(["CONNECT", "TRACE", "track", "GET HTTP/1.1\r\nx: y", "", "GÉT", "a b"])(
  "rule 12: the method %j is Invalid",
  async (method) => {
    const seen: string[] = [];
    const api = origin("https://api.test", { fetcher: { fetch: async (url) => (seen.push(url), new Response()) } });
    const [done] = await ask({ resources: { API: api } }, (puppet) => [fetch(puppet.open("API"), "/", method)]);
    expect([done!.status, seen]).toEqual([Status.Invalid, []]);
  },
);

test("rule 12: what the host cannot do at all is NotSupported, granted or not", async () => {
  const done = await ask({}, () => [{ opcode: 500 }, { opcode: Opcode.Accept, arguments: [2] }, noop()]);
  expect(statuses(done)).toEqual([Status.NotSupported, Status.NotSupported, Status.Ok]);
});

test("rule 12: a failure says nothing about what was not granted", async () => {
  const simulation = new Simulation({ delay: [0, 0] });
  const store = simulation.kv({ rights: ["write"] });
  const done = await ask({ simulation, resources: { STORE: store } }, (puppet) => {
    const number = puppet.open("STORE");
    return [get(number, "there"), get(number, "not there")];
  });
  expect(new Set(done.map(({ status, payload }) => `${status} ${text(payload)}`)).size).toBe(1);
});
