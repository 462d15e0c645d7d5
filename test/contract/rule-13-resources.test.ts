// Rule 13: resource numbers are never reused while the instance lives. Closing a resource cancels what is in flight on
// it.

import { expect, test } from "vitest";
import { RESPOND_FORWARD, Status } from "../../assembly/abi.ts";
import { Simulation } from "../../src/testing/index.ts";
import { close, fetch, get, noop, post, puppet, read, respond, stream, timer } from "./puppet.ts";

/** A world in which every call takes 50 ms. */
function world() {
  const simulation = new Simulation({ delay: [50, 50] });
  const resources = {
    STORE: simulation.kv(),
    API: simulation.origin("https://api.test", () => new Response("body")),
  };
  return { simulation, resources };
}

test.for(["pooled", "shared"] as const)("rule 13: no number is given out twice, isolation %s", async (isolation) => {
  const { simulation, resources } = world();
  const stage = await puppet({ simulation, resources, isolation });
  const given: number[] = [];
  for (let request = 0; request < 20; request++) {
    await stage.serve(function* (exchange, puppet) {
      given.push(exchange);
      const api = puppet.open("API");
      given.push(api, puppet.open("API"));
      puppet.submit(fetch(api, "/"), fetch(api, "/"));
      for (let left = 2; left > 0;) {
        const taken = yield;
        given.push(...taken.map(({ resource }) => resource));
        left -= taken.length;
      }
      puppet.submit(...given.slice(-4).map(close));
      for (let left = 4; left > 0;) left -= (yield).length;
      puppet.submit(respond(exchange));
      yield;
    });
  }
  expect(stage.border.instances).toBe(1);
  expect(given).toHaveLength(100);
  expect(new Set(given).size).toBe(100);
  expect(given.every((number) => number > 0)).toBe(true);
  expect(simulation.openBodies).toBe(0);
});

test("rule 13: a closed number is nothing any more", async () => {
  const { simulation, resources } = world();
  const stage = await puppet({ simulation, resources });
  await stage.serve(function* (exchange, puppet) {
    const [store, api] = [puppet.open("STORE"), puppet.open("API")];
    puppet.submit(fetch(api, "/"));
    const body = (yield)[0]!.resource;
    puppet.submit(close(store), close(body), close(api));
    expect((yield).map(({ status }) => status)).toEqual([Status.Ok, Status.Ok, Status.Ok]);
    const gone = [get(store, "key"), fetch(api, "/"), read(body), stream(exchange, body)];
    puppet.submit(...gone, close(store), close(body), close(api));
    expect(new Set((yield).map(({ status }) => status))).toEqual(new Set([Status.BadResource]));
    // The name can be opened again, and is another number.
    expect(puppet.open("STORE")).toBeGreaterThan(body);
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 13: closing a resource cancels what is in flight on it, and nothing else", async () => {
  const { simulation, resources } = world();
  const stage = await puppet({ simulation, resources });
  await stage.serve(function* (exchange, puppet) {
    const [store, api] = [puppet.open("STORE"), puppet.open("API")];
    puppet.submit(
      { ...fetch(api, "/"), slot: 1 },
      { ...get(store, "key"), slot: 2 },
      { ...fetch(api, "/"), slot: 3 },
      { ...timer(10), slot: 4 },
      { ...close(api), slot: 5 },
    );
    expect((yield).map(({ slot, status }) => [slot, status])).toEqual([
      [1, Status.Cancelled],
      [3, Status.Cancelled],
      [5, Status.Ok],
    ]);
    expect(simulation.aborted).toBe(2);
    expect(yield).toMatchObject([{ slot: 4, status: Status.Ok }]);
    expect(yield).toMatchObject([{ slot: 2, status: Status.NotFound }]);
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 13: closing an exchange cancels the reading of its body, and leaves nobody to answer", async () => {
  const body = new ReadableStream({});
  const request = new Request("http://puppet.test/", { method: "POST", body, duplex: "half" } as RequestInit);
  const stage = await puppet();
  const response = await stage.serve(function* (exchange, puppet) {
    puppet.submit(read(exchange), close(exchange));
    expect((yield).map(({ status }) => status)).toEqual([Status.Cancelled, Status.Ok]);
    puppet.submit(respond(exchange));
    expect((yield)[0]!.status).toBe(Status.BadResource);
  }, request);
  expect([response.status, await response.json()]).toMatchObject([500, { error: "unanswered" }]);
});

test("rule 13: closing a body gives it back, once, and its head was delivered long ago", async () => {
  const { simulation, resources } = world();
  const stage = await puppet({ simulation, resources });
  await stage.serve(function* (exchange, puppet) {
    puppet.submit(fetch(puppet.open("API"), "/"));
    const [fetched] = yield;
    expect(simulation.openBodies).toBe(1);
    puppet.submit(close(fetched!.resource), close(fetched!.resource));
    expect((yield).map(({ status }) => status)).toEqual([Status.Ok, Status.BadResource]);
    expect(simulation.openBodies).toBe(0);
    puppet.submit(respond(exchange));
    yield;
  });
});

test("rule 13: what a context never closed is given back when it ends", async () => {
  for (const isolation of ["request", "pooled", "shared"] as const) {
    const { simulation, resources } = world();
    const stage = await puppet({ simulation, resources, isolation });
    await stage.serve(function* (exchange, puppet) {
      const api = puppet.open("API");
      puppet.submit(fetch(api, "/"), fetch(api, "/"), noop());
      for (let left = 3; left > 0;) left -= (yield).length;
      expect(simulation.openBodies).toBe(2);
      puppet.submit(respond(exchange));
      yield;
    });
    await stage.settle();
    expect([isolation, simulation.openBodies]).toEqual([isolation, 0]);
  }
});

test("rule 13: another context's exchange and body are BadResource", async () => {
  const { simulation, resources } = world();
  const stage = await puppet({ simulation, resources, isolation: "shared" });
  let theirs: number[] = [];
  const first = stage.send(function* (exchange, puppet) {
    puppet.submit(fetch(puppet.open("API"), "/"));
    theirs = [exchange, (yield)[0]!.resource];
    puppet.submit(timer(1000));
    yield;
    puppet.submit({ ...stream(exchange, theirs[1]!), arguments: [201, theirs[1]!] });
    yield;
  });
  await simulation.advance(60);
  const second = await stage.serve(function* (exchange, puppet) {
    const [exchangeOfFirst, bodyOfFirst] = theirs as [number, number];
    puppet.submit(
      respond(exchangeOfFirst),
      read(exchangeOfFirst),
      read(bodyOfFirst),
      close(exchangeOfFirst),
      close(bodyOfFirst),
      stream(exchange, bodyOfFirst),
      stream(exchange, bodyOfFirst, RESPOND_FORWARD),
      post(puppet.open("API"), "/", exchangeOfFirst),
    );
    expect(new Set((yield).map(({ status }) => status))).toEqual(new Set([Status.BadResource]));
    puppet.submit(respond(exchange, 202));
    yield;
  });
  const answer = await simulation.run(first);
  stage.rethrow();
  expect([second.status, answer.status, await answer.text()]).toEqual([202, 201, "body"]);
});
