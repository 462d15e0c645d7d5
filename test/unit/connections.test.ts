import { expect, test } from "vitest";
import { Connections } from "../../src/connections.ts";
import type { Operation } from "../../src/operation.ts";

/** As much of an operation as a connection needs. */
const operation = (controller = new AbortController()): Operation => ({ signal: controller.signal }) as Operation;

/** Takes a connection and keeps it until `end` is called. */
function occupy(connections: Connections, started: string[], name: string, controller?: AbortController) {
  const start = (): void => void started.push(name);
  const turn = connections.take(operation(controller));
  if (!turn) start();
  return { turn: turn?.then(start), end: () => connections.handOn() };
}

const reactions = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("connections: as many as allowed start at once, the others in order as each ends", async () => {
  const connections = new Connections(2);
  const started: string[] = [];
  const uses = ["a", "b", "c", "d"].map((name) => occupy(connections, started, name));
  expect(started).toEqual(["a", "b"]);
  uses[1]!.end();
  await reactions();
  expect(started).toEqual(["a", "b", "c"]);
  uses[0]!.end();
  uses[2]!.end();
  await reactions();
  expect(started).toEqual(["a", "b", "c", "d"]);
  uses[3]!.end();
  expect(uses.map(({ turn }) => turn === undefined)).toEqual([true, true, false, false]);
  expect(connections.take(operation())).toBeUndefined();
});

test("connections: what is cancelled while it waits leaves the queue and never starts", async () => {
  const connections = new Connections(1);
  const started: string[] = [];
  const first = occupy(connections, started, "first");
  const controller = new AbortController();
  const cancelled = occupy(connections, started, "cancelled", controller);
  const last = occupy(connections, started, "last");
  controller.abort(new Error("not wanted"));
  await expect(cancelled.turn).rejects.toThrow("not wanted");
  first.end();
  await reactions();
  expect(started).toEqual(["first", "last"]);
  last.end();
});

test("connections: aborting what has started does not start another one in its place", async () => {
  const connections = new Connections(1);
  const started: string[] = [];
  const controller = new AbortController();
  const first = occupy(connections, started, "first", controller);
  const second = occupy(connections, started, "second");
  controller.abort();
  await reactions();
  expect(started).toEqual(["first"]);
  first.end();
  await reactions();
  expect(started).toEqual(["first", "second"]);
  second.end();
});
