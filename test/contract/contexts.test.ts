// Contexts: each submission belongs to the request on whose stack it was made. Its completion is delivered there and
// nowhere else, and a trap reaches as far as `isolation` says.

import { array, assert, asyncProperty, constantFrom, integer } from "fast-check";
import { describe, expect, test } from "vitest";
import { Opcode, Status } from "../../assembly/abi.ts";
import { kv, origin } from "../../src/index.ts";
import type { Isolation } from "../../src/index.ts";
import { memoryKv } from "../../src/kv-memory.ts";
import { Simulation } from "../../src/testing/index.ts";
import { guest } from "./guest.ts";
import { cancel, fetch, get, noop, puppet, put, respond, timer } from "./puppet.ts";
import type { Script } from "./puppet.ts";

const ISOLATIONS: Isolation[] = ["request", "pooled", "shared"];

/** CI has many more: a module that lost its shadow stack would last for a thousand. */
const TRAPS = Number(process.env["TRAPS"] ?? 10_000);

/** A request without ceremony. */
const request = (path = "/"): Request => new Request(`http://puppet.test${path}`);

/** A store and an origin whose every call waits for one and the same moment. */
function gated(simulation: Simulation, ms: number) {
  const opened = new Promise<void>((resolve) => simulation.clock.setTimeout(resolve, ms));
  const store = memoryKv(simulation.clock);
  return {
    STORE: kv({
      get: (...args) => opened.then(() => store.get(...args)),
      getWithMetadata: async (...args) => (await opened, store.getWithMetadata(...args)),
      put: (...args) => opened.then(() => store.put(...args)),
      delete: async (...args) => (await opened, store.delete(...args)),
      list: async (...args) => (await opened, store.list(...args)),
    }),
    API: origin("https://api.test", { fetcher: { fetch: async () => (await opened, new Response(null)) } }),
  };
}

/** A platform that refuses to wait. */
const impatient = {
  waitUntil(): never {
    throw new Error("no waiting here");
  },
};

/** One noop after the other, as long as `goesOn`. */
const chain = (goesOn: () => boolean): Script =>
  function* (exchange, puppet) {
    while (goesOn()) {
      puppet.submit(noop());
      yield;
    }
    puppet.submit(respond(exchange));
    yield;
  };

/** Twenty fetches at once. */
const many = (name: string): Script =>
  function* (exchange, puppet) {
    const origin = puppet.open("API");
    puppet.submit(...Array.from({ length: 20 }, (_, index) => fetch(origin, `/${name}/${index}`)));
    for (let left = 20; left > 0;) left -= (yield).length;
    puppet.submit(respond(exchange));
    yield;
  };

describe("turns", () => {
  test("contexts: all settlements of one moment are delivered by one run", async () => {
    const simulation = new Simulation();
    const stage = await puppet({ simulation, limits: { connections: 20 }, resources: gated(simulation, 10) });
    await stage.serve(function* (exchange, puppet) {
      const [store, api] = [puppet.open("STORE"), puppet.open("API")];
      puppet.submit(
        get(store, "key"),
        put(store, "key", "value"),
        { ...get(store, "key"), flags: 1 },
        { opcode: Opcode.KvDelete, resource: store, name: "key" },
        { opcode: Opcode.KvList, resource: store },
        fetch(api, "/"),
        get(store, "other"),
      );
      expect(yield).toHaveLength(7);
      puppet.submit(respond(exchange));
      yield;
    });
    // The request, the seven, the answer.
    expect(stage.border.turns).toBe(3);
  });

  test("contexts: two that wait for the same moment get a run each, and each its own completions", async () => {
    const simulation = new Simulation();
    const stage = await puppet({ simulation, isolation: "shared", resources: gated(simulation, 10) });
    const wait = (own: readonly number[]): Script =>
      function* (exchange, puppet) {
        const store = puppet.open("STORE");
        puppet.submit(...own.map((slot) => ({ ...get(store, "key"), slot })));
        expect((yield).map(({ slot }) => slot)).toEqual(own);
        expect(simulation.clock.now()).toBe(10);
        puppet.submit(respond(exchange));
        yield;
      };
    await simulation.run(Promise.all([stage.send(wait([1, 2])), stage.send(wait([3, 4])), stage.send(wait([5, 6]))]));
    stage.rethrow();
    expect(stage.puppets[0]!.strays).toEqual([]);
    expect(stage.border.turns).toBe(9);
  });

  test("contexts: one run dispatches no more than its budget, however often it polls", async () => {
    const stage = await puppet({
      limits: { budget: 10 },
      run: (puppet, budget) => {
        const completions = [...puppet.poll(), ...puppet.poll(), ...puppet.poll()];
        expect(completions.length).toBeLessThanOrEqual(budget);
        puppet.dispatch(completions);
        return completions.length;
      },
    });
    await stage.serve(function* (exchange, puppet) {
      puppet.submit(...Array.from({ length: 35 }, noop));
      const sizes: number[] = [];
      for (let left = 35; left > 0; left -= sizes.at(-1)!) sizes.push((yield).length);
      expect(sizes).toEqual([10, 10, 10, 5]);
      puppet.submit(respond(exchange));
      yield;
    });
  });

  test("contexts: the guest asks for no more than its budget", async () => {
    const { ask, border, simulation } = await guest("test/contract", { limits: { budget: 3 } });
    expect((await ask("/full?n=9")).text).toBe("answered");
    await simulation.settle();
    const polls = border.of("poll");
    expect(polls.map(({ args }) => args[1])).toEqual(polls.map(() => 3));
    expect(polls.filter(({ result }) => result === 3)).toHaveLength(3);
  });

  test("contexts: who always has something to do lets others go first", async () => {
    const stage = await puppet({ isolation: "shared", limits: { runs: 4 } });
    let left = 10_000;
    const busy = stage.send(chain(() => left-- > 0));
    let short = 100;
    await stage.serve(chain(() => short-- > 0));
    expect(left).toBeGreaterThan(9000);
    left = 10;
    await stage.simulation.run(busy);
    stage.rethrow();
  });

  test("contexts: at most so many connections wait for headers in each, in order", async () => {
    const simulation = new Simulation({ delay: [10, 10] });
    const seen: string[] = [];
    const api = simulation.origin(
      "https://api.test",
      ({ url }) => (seen.push(new URL(url).pathname), new Response(null)),
    );
    const stage = await puppet({ simulation, isolation: "shared", resources: { API: api } });
    await stage.serve(many("alone"));
    expect(simulation.fetchingMost).toBe(6);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => `/alone/${index}`));
    await simulation.run(Promise.all([stage.send(many("a")), stage.send(many("b"))]));
    expect(simulation.fetchingMost).toBe(12);
  });
});

describe("the end of a context", () => {
  test.for(ISOLATIONS)("contexts: quiet without an answer is a 500 at once, isolation %s", async (isolation) => {
    const stage = await puppet({ isolation });
    const scripts: [Script, string][] = [
      [function* () {}, "accept"],
      [
        function* (_, puppet) {
          puppet.submit(noop());
          yield;
        },
        "noop",
      ],
      [
        function* (_, puppet) {
          puppet.submit({ ...timer(30), slot: 77, generation: 5 });
          yield;
        },
        "timer",
      ],
    ];
    for (const [script, operation] of scripts) {
      const response = await stage.serve(script, request(`/${operation}`));
      expect([response.status, await response.json()]).toMatchObject([
        500,
        {
          error: "unanswered",
          detail: expect.stringContaining(`The handler of ${operation} ran last and started nothing`),
        },
      ]);
      expect(stage.reports.pop()).toMatchObject({
        kind: "unanswered",
        operation,
        request: `GET http://puppet.test/${operation}`,
      });
    }
    expect(stage.simulation.clock.now()).toBe(30);
    expect(stage.proactor.counters).toMatchObject({ contexts: 0, inFlight: isolation === "request" ? 0 : 1, traps: 0 });
  });

  test.for([0, 5])("contexts: a platform that refuses to wait fails one request, answered after %d ms", async (ms) => {
    const stage = await puppet();
    stage.expecting(function* (exchange, puppet) {
      if (ms > 0) {
        puppet.submit(timer(ms));
        yield;
      }
      puppet.submit(timer(1000), respond(exchange));
      yield;
    });
    const response = await stage.simulation.run(stage.proactor.fetch(request(), impatient));
    expect([response.status, await response.json()]).toMatchObject([500, { error: "unexpected" }]);
    expect(stage.reports).toMatchObject([{ kind: "unexpected", message: "no waiting here" }]);
    expect(stage.proactor.counters).toMatchObject({ contexts: 0 });
  });

  test("contexts: what is a Request by its looks only is answered all the same, and leaves nothing", async () => {
    const stage = await puppet();
    stage.expecting(function* (exchange, puppet) {
      puppet.submit(timer(5));
      yield;
      puppet.submit(respond(exchange));
      yield;
    });
    const odd = { method: "GET", url: "http://puppet.test/", headers: new Headers(), body: null, signal: {} };
    const response = await stage.simulation.run(stage.proactor.fetch(odd as unknown as Request));
    expect([response.status, await response.json()]).toMatchObject([500, { error: "unexpected" }]);
    expect(stage.reports).toMatchObject([{ kind: "unexpected" }]);
    expect(stage.proactor.counters).toMatchObject({ contexts: 0 });
  });

  test("contexts: a second answer completes with Closed, and the first stands", async () => {
    const stage = await puppet();
    const response = await stage.serve(function* (exchange, puppet) {
      puppet.submit(respond(exchange, 201, "first"), respond(exchange, 202, "second"));
      expect((yield).map(({ status }) => status)).toEqual([Status.Ok, Status.Closed]);
      puppet.submit(respond(exchange, 203));
      expect((yield)[0]!.status).toBe(Status.Closed);
    });
    expect([response.status, await response.text()]).toEqual([201, "first"]);
  });

  test("contexts: an answer that was refused leaves the exchange open for another", async () => {
    const stage = await puppet();
    const response = await stage.serve(function* (exchange, puppet) {
      puppet.submit(respond(exchange, 99), respond(exchange, 600), respond(exchange, 204, "no body allowed"));
      expect(new Set((yield).map(({ status }) => status))).toEqual(new Set([Status.Invalid]));
      puppet.submit(respond(exchange, 418));
      yield;
    });
    expect(response.status).toBe(418);
  });

  test.for(ISOLATIONS)(
    "contexts: what is in flight at the answer keeps the context alive, isolation %s",
    async (isolation) => {
      const simulation = new Simulation({ delay: [20, 20] });
      const store = memoryKv(simulation.clock);
      const stage = await puppet({ simulation, isolation, resources: { STORE: simulation.kv({ store }) } });
      const kept: Promise<unknown>[] = [];
      stage.expecting(function* (exchange, puppet) {
        puppet.submit(respond(exchange, 200, "early"), put(puppet.open("STORE"), "key", "value"));
        expect(yield).toHaveLength(1);
        yield;
        puppet.submit(timer(30));
        yield;
      });
      const lifetime = {
        waitUntil: (promise: Promise<unknown>) => void kept.push(promise.then(() => simulation.clock.now())),
      };
      const response = await stage.proactor.fetch(request(), lifetime);
      expect([await response.text(), simulation.clock.now(), kept.length]).toEqual(["early", 0, 1]);
      expect(stage.proactor.counters.contexts).toBe(1);
      expect(await simulation.run(kept[0]!)).toBe(50);
      expect(await store.get("key", { type: "arrayBuffer" })).not.toBe(null);
      expect(stage.proactor.counters.contexts).toBe(0);
      stage.rethrow();
    },
  );

  test("contexts: an instance serves again after each clean end, pooled; anew each time, request", async () => {
    for (const [isolation, instances] of [
      ["request", 6],
      ["pooled", 1],
      ["shared", 1],
    ] as const) {
      const stage = await puppet({ isolation });
      for (let each = 0; each < 5; each++) {
        await stage.serve(function* (exchange, puppet) {
          puppet.submit(respond(exchange));
          yield;
        });
      }
      // The first of "request" was made to see that the module starts, and then used.
      expect([isolation, stage.border.instances]).toEqual([isolation, Math.min(instances, 5)]);
    }
  });

  test("contexts: an instance whose memory has grown too large is replaced", async () => {
    for (const isolation of ["pooled", "shared"] as const) {
      const stage = await puppet({ isolation, limits: { memoryBytes: 1024 * 1024 } });
      for (let each = 0; each < 4; each++) {
        await stage.serve(function* (exchange, puppet) {
          puppet.memory.grow(8);
          puppet.submit(respond(exchange));
          yield;
        });
      }
      expect([isolation, stage.border.instances]).toEqual([isolation, 2]);
      // The last one of "pooled" was retired when its request ended.
      expect(stage.proactor.counters.instances).toBe(isolation === "pooled" ? 0 : 1);
    }
  });
});

test("contexts: what the platform refuses the host costs one request, and nobody waits", async () => {
  const simulation = new Simulation();
  const stage = await puppet({ simulation, limits: { runs: 2 } });
  const { clock } = simulation;
  const arm = clock.setTimeout;
  clock.setTimeout = () => {
    throw new Error("not on behalf of a different request");
  };
  const response = await stage.serve(function* (_, puppet) {
    // An operation that needs a timer fails, and says why.
    puppet.submit(timer(5));
    expect((yield)[0]!.status).toBe(Status.Failed);
    // Giving way needs one too.
    for (;;) {
      puppet.submit(noop());
      yield;
    }
  });
  expect([response.status, await response.json()]).toMatchObject([500, { error: "unexpected" }]);
  expect(stage.reports).toMatchObject([{ kind: "unexpected", message: "not on behalf of a different request" }]);
  expect(stage.proactor.counters.contexts).toBe(0);
  clock.setTimeout = arm;
  const next = await stage.serve(function* (exchange, puppet) {
    puppet.submit(respond(exchange, 204));
    yield;
  });
  expect(next.status).toBe(204);
});

test.for(["pooled", "shared"] as const)(
  "contexts: a client that leaves inside a grant's call leaves no operation in flight, isolation %s",
  async (isolation) => {
    const client = new AbortController();
    const store = memoryKv();
    const leaving = kv({ ...store, get: (...args) => (client.abort(), store.get(...args)) });
    const stage = await puppet({ isolation, resources: { STORE: leaving } });
    const response = await stage.serve(
      function* (_, puppet) {
        const store = puppet.open("STORE");
        puppet.submit(timer(5));
        yield;
        puppet.submit(get(store, "key"), put(store, "key", "value"));
        puppet.submit(put(store, "key", "another"), timer(1000));
      },
      new Request("http://puppet.test/", { signal: client.signal }),
    );
    expect([response.status, await response.json()]).toMatchObject([500, { error: "abandoned" }]);
    await stage.settle();
    // The next turn frees their slots.
    await stage.serve(function* (exchange, puppet) {
      puppet.submit(respond(exchange));
      yield;
    });
    expect(stage.proactor.counters).toMatchObject({ contexts: 0, inFlight: 1, instances: 1, killed: 1 });
  },
);

describe("traps", () => {
  test.for(ISOLATIONS)(
    "contexts: a trap costs one request and is reported with its place, isolation %s",
    async (isolation) => {
      const { ask, reports, proactor, simulation } = await guest("test/contract", { isolation });
      const survivor = proactor.fetch(new Request("http://guest.test/wait?ms=40"));
      const { status, text } = await ask("/abort");
      expect([status, JSON.parse(text)]).toMatchObject([500, { error: "trap" }]);
      expect(text).not.toContain("on purpose");
      expect(reports).toMatchObject([
        {
          kind: "trap",
          message: "on purpose",
          file: "test/guest/contract.ts",
          line: expect.any(Number),
          column: expect.any(Number),
          operation: "timer",
          token: { slot: expect.any(Number), generation: expect.any(Number) },
          request: "GET http://guest.test/abort",
        },
      ]);
      expect((await simulation.run(survivor)).status).toBe(200);
      expect((await ask("/chain?n=3")).text).toBe("3");
      expect(proactor.counters).toMatchObject({ contexts: 0, traps: 1, inFlight: isolation === "request" ? 0 : 1 });
    },
  );

  test("contexts: any other trap condemns a shared instance: its requests fail at once, the next gets a new one", async () => {
    const { ask, reports, proactor, simulation, border } = await guest("test/contract", { isolation: "shared" });
    const victims = [1, 2, 3].map(() => proactor.fetch(new Request("http://guest.test/wait?ms=1000")));
    const trapped = await ask("/unreachable");
    expect([trapped.status, JSON.parse(trapped.text).error]).toEqual([500, "trap"]);
    const failed = await simulation.run(Promise.all(victims));
    expect(simulation.clock.now()).toBeLessThan(100);
    for (const response of failed)
      expect([response.status, await response.json()]).toMatchObject([500, { error: "condemned" }]);
    expect(reports).toMatchObject([{ kind: "trap", operation: "timer" }]);
    expect(border.instances).toBe(1);
    expect((await ask("/chain?n=3")).text).toBe("3");
    expect(border.instances).toBe(2);
    expect(proactor.counters).toMatchObject({ contexts: 0, inFlight: 1, instances: 1, traps: 1 });
    await simulation.settle();
    expect(simulation.clock.size).toBe(0);
  });

  test("contexts: a request that is sent when a trap is reported is served by another instance", async () => {
    const sent: Promise<{ text: string }>[] = [];
    let reports = 0;
    const { ask, proactor, border } = await guest("test/contract", {
      isolation: "shared",
      onError: () => reports++ === 0 && sent.push(ask("/chain?n=3")),
    });
    expect((await ask("/unreachable")).status).toBe(500);
    expect((await sent[0]!).text).toBe("3");
    expect(border.instances).toBe(2);
    expect(proactor.counters).toMatchObject({ contexts: 0, inFlight: 1, instances: 1, traps: 1 });
  });

  test("contexts: a request that was giving way to others when its instance is condemned fails too", async () => {
    const stage = await puppet({ isolation: "shared", limits: { runs: 2 } });
    const busy = stage.send(function* (_, puppet) {
      for (;;) {
        puppet.submit(noop());
        yield;
      }
    });
    await stage.simulation.run(
      stage.send(function* () {
        yield* [];
        throw new Error("not by abort");
      }),
    );
    const response = await stage.simulation.run(busy);
    expect([response.status, await response.json()]).toMatchObject([500, { error: "condemned" }]);
    expect(stage.proactor.counters).toMatchObject({ contexts: 0, inFlight: 0, instances: 0 });
  });

  test("contexts: the K-th contained trap replaces the instance, when its requests have failed", async () => {
    const { ask, proactor, border } = await guest("test/contract", { isolation: "shared", limits: { traps: 4 } });
    for (let trap = 1; trap <= 12; trap++) {
      expect((await ask("/abort")).status).toBe(500);
      expect((await ask("/chain?n=2")).text).toBe("2");
      expect(border.instances).toBe(1 + Math.floor(trap / 4));
    }
    expect(proactor.counters).toMatchObject({ contexts: 0, inFlight: 1, instances: 1, traps: 12 });
  });

  test(`contexts: ${TRAPS} contained traps leave nothing behind`, { timeout: 600_000 }, async () => {
    const { ask, proactor, border, simulation } = await guest("test/contract", {
      isolation: "shared",
      limits: { traps: 1_000_000 },
      memory: false,
    });
    let pages = 0;
    for (let trap = 0; trap < TRAPS; trap++) {
      const { status } = await simulation.run(proactor.fetch(request("/abort")));
      if (status !== 500) expect.fail(`trap ${trap} was answered ${status}`);
      if (trap === TRAPS / 10) pages = border.memory!.buffer.byteLength;
    }
    // Neither the shadow stack nor the heap has lost anything: the guest still runs, in the same memory.
    expect((await ask("/chain?n=500")).text).toBe("500");
    expect(border.instances).toBe(1);
    expect(border.memory!.buffer.byteLength).toBe(pages);
    expect(proactor.counters).toMatchObject({ contexts: 0, inFlight: 1, traps: TRAPS });
  });

  test.for(ISOLATIONS)(
    "contexts: a trap after the answer does not take the answer back, isolation %s",
    async (isolation) => {
      const stage = await puppet({ isolation });
      const response = await stage.serve(function* (exchange, puppet) {
        puppet.submit(respond(exchange, 201, "answered"));
        yield;
        puppet.submit(timer(1));
        yield;
        puppet.abort();
      });
      expect([response.status, await response.text()]).toEqual([201, "answered"]);
      await stage.settle();
      expect(stage.proactor.counters).toMatchObject({ contexts: 0, traps: 1 });
    },
  );

  test("contexts: what a trapped context had in flight is reclaimed by the next turn of any other", async () => {
    const simulation = new Simulation({ delay: [100, 100] });
    const resources = { API: simulation.origin("https://api.test", () => new Response("body")) };
    const stage = await puppet({ simulation, resources, isolation: "shared" });
    await stage.serve(function* (_, puppet) {
      puppet.submit(timer(500), fetch(puppet.open("API"), "/"), noop());
      yield* [];
      puppet.abort();
    });
    expect([simulation.aborted, simulation.clock.size]).toEqual([1, 0]);
    expect(stage.proactor.counters).toMatchObject({ contexts: 0, inFlight: 4, reclaimed: 0 });
    await stage.serve(function* (exchange, puppet) {
      puppet.submit(respond(exchange));
      yield;
    });
    expect(stage.proactor.counters).toMatchObject({ contexts: 0, inFlight: 1, reclaimed: 3 });
  });
});

test("contexts: requests that overlap, wait, fail and trap in any order leave nothing behind", () => {
  const acts = ["wait", "get", "put", "fetch", "cancel", "noop", "abort", "silent", "double"] as const;
  return assert(
    asyncProperty(
      integer(),
      constantFrom(...ISOLATIONS),
      array(array(constantFrom(...acts), { maxLength: 6 }), { minLength: 1, maxLength: 8 }),
      async (seed, isolation, requests) => {
        const simulation = new Simulation({ seed, delay: [0, 40], faults: { network: 0.1, abortIgnored: 0.5 } });
        const resources = {
          STORE: simulation.kv(),
          API: simulation.origin("https://api.test", () => new Response("body")),
        };
        const stage = await puppet({ simulation, isolation, resources, memory: false, limits: { traps: 3 } });
        const scripts = requests.map(
          (plan, index): Script =>
            function* (exchange, puppet) {
              const [store, api] = [puppet.open("STORE"), puppet.open("API")];
              for (const act of plan) {
                if (act === "wait") puppet.submit(timer(simulation.random.between(0, 30)));
                else if (act === "get") puppet.submit({ ...get(store, "key"), deadline: 20 });
                else if (act === "put") puppet.submit(put(store, `key${index}`, "value"));
                else if (act === "fetch") puppet.submit(fetch(api, "/"));
                else if (act === "cancel") puppet.submit({ ...timer(1000), slot: 900 + index }, cancel(900 + index));
                else if (act === "noop") puppet.submit(noop());
                else if (act === "abort") puppet.abort();
                else if (act === "silent") return;
                else puppet.submit(respond(exchange, 200 + index), respond(exchange));
                yield;
              }
              puppet.submit(respond(exchange, 200 + index));
              yield;
            },
        );
        const responses = await simulation.run(Promise.all(scripts.map((script) => stage.send(script))));
        await stage.settle();
        responses.forEach((response, index) => {
          const plan = requests[index]!;
          const answered = plan.findIndex((act) => act === "double");
          const failed = plan.findIndex((act) => act === "abort" || act === "silent");
          const survives = failed < 0 || (answered >= 0 && answered < failed);
          if (survives && isolation !== "shared") expect(response.status).toBe(200 + index);
          else expect([200 + index, 500]).toContain(response.status);
        });
        const { counters } = stage.proactor;
        expect([counters.contexts, simulation.openBodies, simulation.clock.size]).toEqual([0, 0, 0]);
        // One more turn frees the slots of those that trapped.
        await stage.serve(function* (exchange, puppet) {
          puppet.submit(respond(exchange));
          yield;
        });
        expect(counters.inFlight).toBe(isolation === "request" ? 0 : counters.instances);
        expect(stage.reports.filter(({ kind }) => !["trap", "unanswered"].includes(kind))).toEqual([]);
      },
    ),
    { numRuns: 100 },
  );
});
