// Commands: what can happen, in any order. Each is printed as the code that makes it, so that a script that fast-check
// has shrunk can be kept in regressions.test.ts as it stands.

import { inspect } from "node:util";
import * as fc from "fast-check";
import { TIMER_MS_MAX } from "../../assembly/abi.ts";
import type { Isolation, Shutdown } from "../../src/index.ts";
import type { Context, Operation } from "./books.ts";
import type { Model } from "./model.ts";
import type { Action, Settings } from "./script.ts";
import { Stage } from "./stage.ts";
import type { Outcome } from "./stage.ts";

/** Requests that have not ended at once; more find nothing new. */
const CONTEXTS_MAX = 4;

type Command = fc.AsyncCommand<Model, Stage>;

function command(name: string, values: unknown[], check: (model: Model) => boolean, run: Command["run"]): Command {
  const text = values.map((value) => inspect(value, { depth: 9, breakLength: Infinity, compact: true })).join(", ");
  return { check, run, toString: () => `${name}(${text})` };
}

/** Of a few, the one that a number means. */
const pick = <T>(all: Iterable<T>, nth: number): T => [...all][nth % [...all].length]!;

const living = ({ contexts }: Model): Context[] => contexts.filter(({ live, killed }) => live && !killed);

/** A request comes. */
export const open = (...steps: Action[]): Command =>
  command(
    "open",
    steps,
    ({ counters }) => counters.contexts < CONTEXTS_MAX,
    (_, stage) => stage.open(steps),
  );

/** One of the calls that wait outside is answered, and its handler does these steps: late, if nobody waits any more. */
export const settle = (nth: number, outcome: Outcome = "ok", bytes = 0, ...steps: Action[]): Command =>
  command(
    "settle",
    [nth, outcome, bytes, ...steps],
    ({ calls }) => calls.size > 0,
    ({ calls }, stage) => stage.settle([pick(calls, nth)], outcome, bytes, steps),
  );

/** All calls of one kind are answered at one moment. */
export const settleAll = (nth: number, outcome: Outcome = "ok"): Command =>
  command(
    "settleAll",
    [nth, outcome],
    ({ calls }) => calls.size > 1,
    ({ calls }, stage) => stage.settle(alike(calls, pick(calls, nth)), outcome, 3, []),
  );

/** Those whose answers come through equally many promises: of others nobody promises the order. */
const alike = (calls: Set<Operation>, { kind, call, source }: Operation): Operation[] =>
  [...calls].filter((other) => other.kind === kind && other.call === call && other.source?.kind === source?.kind);

/** Time passes, with all that is due in it. */
export const pass = (ms: number): Command =>
  command(
    "pass",
    [ms],
    () => true,
    (_, stage) => stage.pass(ms),
  );

/** The platform ends a request without a word. */
export const kill = (nth: number): Command =>
  command(
    "kill",
    [nth],
    (model) => living(model).length > 0,
    (model, stage) => stage.kill(pick(living(model), nth)),
  );

/** The memory of all instances grows between two turns. */
export const grow = (): Command =>
  command(
    "grow",
    [],
    () => true,
    (_, stage) => stage.grow(),
  );

/** The host shuts down. */
export const shutdown = (mode: Shutdown): Command =>
  command(
    "shutdown",
    [mode],
    () => true,
    (_, stage) => stage.shutdown(mode),
  );

// What fast-check makes of it.

const nth = fc.nat({ max: 3 });
const ms = fc.constantFrom(0, 1, 2, 3, 5, 10, 20);
const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

/** Leaves out what is undefined: a script is read by people. */
const plain = (action: object): Action =>
  Object.fromEntries(Object.entries(action).filter(([, value]) => value !== undefined)) as unknown as Action;

const whose = fc.constantFrom("live", "live", "live", "foreign", "over", "nobody");
const what = fc.constantFrom("exchange", "body", "body", "foreign", "closed", "grant", "nothing");

function actions(depth: number): fc.Arbitrary<Action[]> {
  return fc.array(action(depth), { maxLength: 2 + depth, size: "max" });
}

function action(depth: number): fc.Arbitrary<Action> {
  const handled = {
    within: rarely(ms),
    detached: rarely(fc.constant(true)),
    again: rarely(fc.integer({ min: 1, max: 3 })),
    handler:
      depth > 0 ? actions(depth - 1).map((steps) => (steps.length > 0 ? steps : undefined)) : fc.constant(undefined),
  };
  const one = (weight: number, name: string, more: object = {}): fc.WeightedArbitrary<Action> => ({
    weight,
    arbitrary: fc.record({ do: fc.constant(name), ...more }).map(plain),
  });
  return fc.oneof(
    one(4, "noop", handled),
    one(4, "timer", {
      ms: fc.oneof({ weight: 9, arbitrary: ms }, { weight: 1, arbitrary: fc.constant(TIMER_MS_MAX + 1) }),
      ...handled,
    }),
    one(6, "get", handled),
    one(2, "put", { bytes: fc.constantFrom(0, 100, 1000, 2000), ...handled }),
    one(1, "delete", handled),
    one(1, "list", handled),
    one(5, "fetch", handled),
    one(2, "page", handled),
    one(3, "read", { what, ...handled }),
    one(2, "close", { what, ...handled }),
    one(3, "respond", { what: rarely(what), ...handled }),
    one(1, "stream", { what, ...handled }),
    one(2, "end", { whose, nth, ...handled }),
    one(5, "cancel", { whose, nth }),
    one(1, "abort"),
    one(1, "trap"),
    one(1, "grow"),
    one(1, "collect"),
    one(1, "litter"),
    one(1, "run"),
  );
}

const outcome = fc.constantFrom<Outcome>("ok", "ok", "ok", "missing", "fails");
const bytes = fc.constantFrom(0, 3, 20_000, 70_000);

const some: fc.Arbitrary<Command> = fc.oneof(
  { weight: 12, arbitrary: actions(2).map((steps) => open(...steps)) },
  {
    weight: 20,
    arbitrary: fc
      .tuple(nth, outcome, bytes, actions(1))
      .map(([nth, outcome, bytes, steps]) => settle(nth, outcome, bytes, ...steps)),
  },
  { weight: 8, arbitrary: fc.tuple(nth, outcome).map(([nth, outcome]) => settleAll(nth, outcome)) },
  { weight: 12, arbitrary: fc.constantFrom(1, 2, 5, 10, 300).map(pass) },
  { weight: 4, arbitrary: nth.map(kill) },
  { weight: 4, arbitrary: fc.constant(grow()) },
  { weight: 1, arbitrary: fc.constantFrom<Shutdown>("graceful", "now").map(shutdown) },
);

export const commands = (): fc.Arbitrary<Iterable<Command>> =>
  fc.commands([some], { maxCommands: 60, size: "max", disableReplayLog: true });

export const settings = (isolation: Isolation): fc.Arbitrary<Settings> =>
  fc.record({
    isolation: fc.constant(isolation),
    runtime: fc.constantFrom("incremental", "incremental", "incremental", "minimal", "stub"),
    inFlight: fc.constantFrom(1, 2, 3, 4, 6, 10, 10, 100, 100, 100),
    budget: fc.constantFrom(1, 2, 3, 100),
    runs: fc.constantFrom(1, 2, 64),
    connections: fc.constantFrom(1, 2, 6),
    traps: fc.constantFrom(1, 2, 100),
    argumentBytes: fc.constantFrom(1500, 3000, 1_000_000, 1_000_000, 1_000_000),
    resources: fc.constantFrom(4, 6, 1000, 1000),
    ignoresAbort: fc.boolean(),
    watchesMemory: fc.constantFrom(...Array<boolean>(7).fill(false), true),
  });

/** What a script of regressions.test.ts need not say. */
export const USUAL: Settings = {
  isolation: "shared",
  runtime: "incremental",
  inFlight: 100,
  budget: 100,
  runs: 64,
  connections: 6,
  traps: 100,
  argumentBytes: 1_000_000,
  resources: 1000,
  ignoresAbort: false,
  watchesMemory: false,
};

/** Runs a script in lock-step with the model, and then to its end. */
export async function play(settings: Settings, script: Iterable<Command>): Promise<void> {
  const stage = new Stage(settings);
  await fc.asyncModelRun(() => ({ model: stage.model, real: stage }), script);
  await stage.end();
}
