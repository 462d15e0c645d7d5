// Hosts: one guest, one upstream, the same grants, on every implementation of the host.
//
// A case is written once, against TestHost, and runs on the simulated host, in Node and in real workerd. After each
// case every host is asked whether anything is left of it: a context, an operation, a transfer, a timer, a report.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, vi } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import { path } from "../../scripts/paths.ts";
import { Proactor, kv, origin } from "../../src/index.ts";
import type { Counters, ErrorReport, Grants, Instantiate, Isolation, KvStore, Limits } from "../../src/index.ts";
import { fileKv, memoryKv } from "../../src/node.ts";
import { Simulation } from "../../src/testing/index.ts";
import type { SimulationOptions } from "../../src/testing/index.ts";
import { HttpServer } from "./http.ts";
import { Upstream } from "./upstream.ts";

export interface TestHost {
  readonly upstream: Upstream;
  /** What is granted as API: two origins, played by the same upstream. */
  readonly origins: readonly [string, string];
  /** Sends a request to the guest. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Sends requests at once. */
  fetchAll(paths: readonly string[]): Promise<Response[]>;
  /** Sends a request and returns the JSON that the guest reports. */
  // eslint-disable-next-line typescript/no-explicit-any
  json(path: string, init?: RequestInit): Promise<any>;
  counters(): Promise<Counters>;
  /** What `onError` was told since the last call. */
  takeReports(): Promise<ErrorReport[]>;
  /** The lines that the guest has written to its console; only with the option `log`. */
  readonly log: string[];
  /** Transfers from the upstream that are neither complete nor broken off. */
  openTransfers(): number;
  /** Transfers that the host broke off. */
  aborted(): number;
  /** Waits until every context has ended, and what it started with it. */
  ended(): Promise<void>;
}

export interface HostOptions {
  limits?: Partial<Limits>;
  /** Of the simulated host; every case for each host runs there in a shared instance too. */
  isolation?: Isolation;
  /** Collects what the guest writes to its console. */
  log?: boolean;
  /** With which runtimes the guest was built, besides incremental. The simulated host runs these too. */
  runtimes?: readonly ("minimal" | "stub")[];
  /** Of the simulated host: who makes instances. */
  instantiate?: Instantiate;
}

/** A host that a test may also stop, and look into. */
export interface SimulatedHost extends TestHost {
  readonly simulation: Simulation;
  readonly proactor: Proactor;
  /** Sends a request without letting time pass. */
  send(path: string, init?: RequestInit): Promise<Response>;
}

const ORIGIN = "http://localhost";

/** Compiled once for each file. */
const modules = new Map<string, Promise<WebAssembly.Module>>();

const bytesOf = (guest: string): Promise<Uint8Array<ArrayBuffer>> =>
  readFile(path(`build/test/${guest}.wasm`)) as Promise<Uint8Array<ArrayBuffer>>;

export function moduleOf(guest: string): Promise<WebAssembly.Module> {
  let module = modules.get(guest);
  if (!module) {
    module = bytesOf(guest).then((bytes) => WebAssembly.compile(bytes));
    modules.set(guest, module);
  }
  return module;
}

/** Where the guest's console goes, for hosts in this process. The guest keeps the console that it began with. */
function logOf(options: HostOptions): string[] {
  const log: string[] = [];
  if (!options.log) return log;
  for (const method of ["log", "error"] as const)
    vi.spyOn(console, method).mockImplementation((line) => log.push(line));
  return log;
}

/** The grants of every test guest, over this store and these origins. */
function grantsOf(store: KvStore, api: Grants[string]): Grants {
  return {
    CACHE: kv(store),
    READ_ONLY: kv(store, { rights: ["read"] }),
    WRITE_ONLY: kv(store, { rights: ["write"] }),
    API: api,
  };
}

/** Waits for what must come, however slow the machine is. */
export async function eventually(expectation: () => void | Promise<void>): Promise<void> {
  await vi.waitFor(expectation, { timeout: 20_000, interval: 5 });
}

// The simulated host: virtual time.

export async function simulatedHost(
  guest: string,
  options: HostOptions & SimulationOptions & { store?: KvStore; grants?: (simulation: Simulation) => Grants } = {},
): Promise<SimulatedHost> {
  // The others are of the test host, and a simulation takes no options that it does not know.
  const { limits: _, isolation: _1, log: _2, runtimes: _3, instantiate: _4, store: _5, grants: _6, ...world } = options;
  const simulation = new Simulation(world);
  const upstream = new Upstream(simulation.clock);
  const origins = ["http://one.test", "http://two.test"] as const;
  const store = options.store ?? simulation.kv().store;
  const reports: ErrorReport[] = [];
  const log = logOf(options);
  const proactor = await Proactor.instantiate(await moduleOf(guest), {
    resources: { ...grantsOf(store, simulation.origin(origins, upstream.answer)), ...options.grants?.(simulation) },
    clock: simulation.clock,
    isolation: options.isolation ?? "pooled",
    limits: options.limits ?? {},
    ...(options.instantiate && { instantiate: options.instantiate }),
    onError: (report) => reports.push(report),
  });
  const send = (path: string, init?: RequestInit): Promise<Response> =>
    proactor.fetch(new Request(`${ORIGIN}${path}`, init));
  const host: SimulatedHost = {
    upstream,
    origins,
    simulation,
    proactor,
    log,
    send,
    fetch: (path, init) => simulation.run(send(path, init)),
    fetchAll: (paths) => simulation.run(Promise.all(paths.map((path) => send(path)))),
    json: async (path, init) => (await host.fetch(path, init)).json(),
    counters: async () => proactor.counters,
    takeReports: async () => reports.splice(0),
    openTransfers: () => simulation.fetching + simulation.openBodies,
    aborted: () => simulation.aborted,
    ended: () => simulation.settle(),
  };
  return host;
}

// Node: real time, a real upstream on the loopback interface.

interface Servers {
  readonly upstream: Upstream;
  readonly origins: readonly [string, string];
  openTransfers(): number;
  aborted(): number;
  reset(): void;
  close(): Promise<void>;
}

async function startServers(): Promise<Servers> {
  const upstream = new Upstream();
  const [one, two] = await Promise.all([HttpServer.listen(upstream.answer), HttpServer.listen(upstream.answer)]);
  let abortedBefore = 0;
  return {
    upstream,
    origins: [one.origin, two.origin],
    openTransfers: () => one.open + two.open,
    aborted: () => one.aborted + two.aborted - abortedBefore,
    reset() {
      upstream.reset();
      abortedBefore = one.aborted + two.aborted;
    },
    async close() {
      await Promise.all([one.close(), two.close()]);
    },
  };
}

async function nodeHost(guest: string, servers: Servers, store: KvStore, options: HostOptions): Promise<TestHost> {
  const { upstream, origins, openTransfers, aborted } = servers;
  const reports: ErrorReport[] = [];
  const log = logOf(options);
  const proactor = await Proactor.instantiate(await moduleOf(guest), {
    resources: grantsOf(store, origin(origins)),
    limits: options.limits ?? {},
    onError: (report) => reports.push(report),
  });
  const host: TestHost = {
    upstream,
    origins,
    log,
    openTransfers,
    aborted,
    fetch: (path, init) => proactor.fetch(new Request(`${ORIGIN}${path}`, init)),
    fetchAll: (paths) => Promise.all(paths.map((path) => host.fetch(path))),
    json: async (path, init) => (await host.fetch(path, init)).json(),
    counters: async () => proactor.counters,
    takeReports: async () => reports.splice(0),
    ended: () => eventually(() => expect(proactor.counters.contexts).toBe(0)),
  };
  return host;
}

// workerd: the real thing, over HTTP.

async function workerdHost(guest: string, servers: Servers, options: HostOptions) {
  const { upstream, origins, openTransfers, aborted } = servers;
  const log: string[] = [];
  const local = await startLocal({
    entry: "test/workerd/fixture/guest.ts",
    ...(options.log && { onLog: (line: string) => log.push(line) }),
    modules: { "guest.wasm": await bytesOf(guest) },
    bindings: { ORIGINS: origins, LIMITS: options.limits ?? {} },
  });
  const ask = async (path: string) => (await fetch(`${local.url}${path}`)).json();
  const host: TestHost = {
    upstream,
    origins,
    log,
    openTransfers,
    aborted,
    // Redirects are the guest's answers here. Text would be compressed on its way to a caller that takes it so.
    fetch: (path, init = {}) =>
      fetch(`${local.url}${path}`, {
        redirect: "manual",
        ...init,
        headers: [...new Headers(init.headers), ["accept-encoding", "identity"]],
      }),
    fetchAll: (paths) => Promise.all(paths.map((path) => host.fetch(path))),
    json: async (path, init) => (await host.fetch(path, init)).json(),
    counters: async () => (await ask("/.host/counters")) as Counters,
    takeReports: async () => (await ask("/.host/reports")) as ErrorReport[],
    ended: () => eventually(async () => expect((await host.counters()).contexts).toBe(0)),
  };
  return { host, stop: () => local.dispose() };
}

// Suites.

/** Declares the cases of a guest for every host. Node and the simulation begin anew for each case. */
export function onEachHost(guest: string, cases: (host: TestHost) => void, options: HostOptions = {}): void {
  onSimulatedHost(guest, cases, options);
  describe("simulated, shared", () => {
    cases(inPlaceOf(() => simulatedHost(guest, { ...options, isolation: "shared" })));
  });
  describe("Node", () => {
    const servers = serversOfSuite();
    const host = inPlaceOf(() => nodeHost(guest, servers(), memoryKv(), options));
    cases(host);
  });
  describe("workerd", () => {
    const servers = serversOfSuite();
    let workerd: Awaited<ReturnType<typeof workerdHost>> | undefined;
    beforeAll(async () => {
      workerd = await workerdHost(guest, servers(), options);
    });
    afterAll(() => workerd?.stop());
    const host = inPlaceOf(async () => workerd!.host);
    cases(host);
  });
}

/** Declares the cases of a guest for Node with KV in a file. */
export function onNodeWithFile(guest: string, cases: (host: TestHost) => void): void {
  describe("Node, KV in a file", () => {
    const servers = serversOfSuite();
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "wasm-proactor-"));
    });
    afterAll(() => rm(folder, { recursive: true }));
    let files = 0;
    const host = inPlaceOf(async () => nodeHost(guest, servers(), await fileKv(join(folder, `${files++}`)), {}));
    cases(host);
  });
}

/** Declares cases that need virtual time, or a look inside. */
export function onSimulatedHost(
  guest: string,
  cases: (host: SimulatedHost) => void,
  options: HostOptions & SimulationOptions = {},
): void {
  describe("simulated", () => {
    cases(inPlaceOf(() => simulatedHost(guest, options)));
  });
  for (const runtime of options.runtimes ?? []) {
    describe(`simulated, ${runtime}`, () => {
      cases(inPlaceOf(() => simulatedHost(`${guest}.${runtime}`, options)));
    });
  }
}

function serversOfSuite(): () => Servers {
  let servers: Servers;
  beforeAll(async () => {
    servers = await startServers();
  });
  beforeEach(() => servers.reset());
  afterAll(() => servers.close());
  return () => servers;
}

/** A host that cases may name before it exists: it takes the members of a new one before each case. */
function inPlaceOf<Host extends TestHost>(start: () => Promise<Host>): Host {
  const host = {} as Host;
  beforeEach(async () => {
    Object.assign(host, await start());
  });
  afterEach(() => {
    vi.restoreAllMocks();
    host.log.length = 0;
    return expectNothingLeft(host);
  });
  return host;
}

/** What must hold after every case, whatever it did. */
export async function expectNothingLeft(host: TestHost): Promise<void> {
  await host.ended();
  await eventually(() => expect(host.openTransfers(), "transfers left open").toBe(0));
  const { contexts, inFlight, instances } = await host.counters();
  expect(contexts, "contexts left").toBe(0);
  // Each instance keeps its accept in flight.
  expect(inFlight, "operations left in flight").toBeLessThanOrEqual(instances);
  if ("simulation" in host) expect((host as SimulatedHost).simulation.clock.size, "timers left").toBe(0);
  expect(await host.takeReports(), "reports that the case has not taken").toEqual([]);
}
