import { expect, test } from "vitest";
import { Connections } from "../../src/connections.ts";
import type { Operation } from "../../src/operation.ts";

/** As much of an operation as a connection needs. */
const operation = (controller = new AbortController()): Operation => ({ signal: controller.signal }) as Operation;

/** Uses a connection until `end` is called. */
function occupy(connections: Connections, started: string[], name: string, controller?: AbortController) {
  let end!: () => void;
  const done = connections.use(operation(controller), () => {
    started.push(name);
    return new Promise<string>((resolve) => (end = () => resolve(name)));
  });
  return { done, end: () => end() };
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
  uses[3]!.end();
  expect(await Promise.all(uses.map(({ done }) => done))).toEqual(["a", "b", "c", "d"]);
});

test("connections: a failure gives its connection back, thrown or rejected", async () => {
  const connections = new Connections(1);
  const failures: (() => Promise<never>)[] = [
    () => Promise.reject(new Error("rejected")),
    () => {
      throw new Error("thrown");
    },
  ];
  for (const fail of failures) await expect(connections.use(operation(), fail)).rejects.toThrow();
  expect(await connections.use(operation(), async () => "free")).toBe("free");
});

test("connections: what is cancelled while it waits leaves the queue and never starts", async () => {
  const connections = new Connections(1);
  const started: string[] = [];
  const first = occupy(connections, started, "first");
  const controller = new AbortController();
  const cancelled = occupy(connections, started, "cancelled", controller);
  const last = occupy(connections, started, "last");
  controller.abort(new Error("not wanted"));
  await expect(cancelled.done).rejects.toThrow("not wanted");
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
