// Programs: what a request asks of the interpreter in simulate/guest/program.ts, drawn by a seed.

import type { Random } from "../src/testing/index.ts";

/** One letter each; see the interpreter. */
export type Operation =
  | "abort"
  | "body"
  | "cancel"
  | "delete"
  | "error"
  | "fetch"
  | "get"
  | "chain"
  | "post"
  | "get-opened"
  | "list"
  | "fetch-leave"
  | "memory"
  | "noop"
  | "collect"
  | "put"
  | "answer"
  | "stream"
  | "timer"
  | "unreachable"
  | "outside"
  | "forward"
  | "fetch-close"
  | "fetch-read"
  | "chance";

const LETTERS: Record<Operation, string> = {
  abort: "a",
  body: "b",
  cancel: "c",
  delete: "d",
  error: "e",
  fetch: "f",
  get: "g",
  chain: "h",
  post: "i",
  "get-opened": "j",
  list: "k",
  "fetch-leave": "l",
  memory: "m",
  noop: "n",
  collect: "o",
  put: "p",
  answer: "q",
  "fetch-read": "r",
  stream: "s",
  timer: "t",
  unreachable: "u",
  outside: "v",
  forward: "w",
  "fetch-close": "x",
  chance: "y",
};

export interface Step {
  operation: Operation;
  /** The step after which it starts; -1 for none. */
  parent: number;
  /** Milliseconds; 0 for none. */
  deadline: number;
  x: number;
  y: number;
}

export interface Program {
  id: number;
  steps: Step[];
}

/** How often each is drawn, among the others. */
const WEIGHTS: [Operation, number][] = [
  ["fetch", 16],
  ["fetch-read", 10],
  ["fetch-leave", 3],
  ["fetch-close", 4],
  ["post", 5],
  ["forward", 3],
  ["get", 12],
  ["get-opened", 4],
  ["put", 10],
  ["delete", 3],
  ["list", 4],
  ["timer", 12],
  ["cancel", 16],
  ["noop", 5],
  ["chain", 3],
  ["body", 4],
  ["stream", 1],
  ["collect", 3],
  ["memory", 3],
  ["chance", 3],
  ["error", 2],
];

const TRAPS: Operation[] = ["abort", "abort", "abort", "unreachable", "outside"];

const STEPS_MAX = 9;

export function drawProgram(id: number, random: Random): Program {
  const steps: Step[] = [];
  const count = random.between(1, STEPS_MAX);
  for (let index = 0; index < count; index++) steps.push(drawStep(drawOperation(random), index, count, random));
  if (random.chance(0.2)) steps.push(...tie(steps.length, random));
  if (random.chance(0.1)) steps.push(drawStep(random.pick(TRAPS), steps.length, count, random));
  if (random.chance(0.9)) steps.push(answer(random.between(-1, steps.length - 1)));
  if (random.chance(0.1)) steps.push(answer(random.between(-1, steps.length - 1)));
  return { id, steps };
}

/** Two operations that end at the same time, of which the first cancels the second: that must not be too late. */
function tie(index: number, random: Random): Step[] {
  const parent = random.between(-1, index - 1);
  const [operation, x] = random.pick([
    ["noop", 0],
    ["timer", random.between(0, 50)],
  ] as const);
  const one = step(operation, parent, x);
  return [one, one, step("cancel", index, index + 1)];
}

/** What a request asks for once there are no faults: it must succeed. */
export function peacefulProgram(id: number): Program {
  const put = step("put", -1, 77, 300);
  return { id, steps: [put, step("get", 0, 77), step("fetch", -1, 200), step("timer", 1, 200), answer(3)] };
}

function step(operation: Operation, parent: number, x: number, y = 0): Step {
  return { operation, parent, deadline: 0, x, y };
}

function answer(parent: number): Step {
  return step("answer", parent, 0);
}

function drawOperation(random: Random): Operation {
  let left = random.next() * WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);
  return WEIGHTS.find(([, weight]) => (left -= weight) < 0)?.[0] ?? "noop";
}

function drawStep(operation: Operation, index: number, count: number, random: Random): Step {
  const parent = index > 0 && random.chance(0.6) ? index - 1 : random.between(-1, index - 1);
  const deadline = random.chance(0.3) ? random.between(1, 120) : 0;
  return { operation, parent, deadline, ...drawArguments(operation, count, random) };
}

function drawArguments(operation: Operation, count: number, random: Random): Pick<Step, "x" | "y"> {
  switch (operation) {
    case "cancel":
      // Steps that come later too: a cancel may be early, in time, or late.
      return { x: random.between(0, count - 1), y: 0 };
    case "timer":
      return { x: random.chance(0.05) ? 60_000 : random.between(0, 120), y: 0 };
    case "chain":
      return { x: random.between(1, 40), y: 0 };
    case "list":
      return { x: random.between(1, 10), y: 0 };
    case "error":
      return { x: random.between(0, 3), y: 0 };
    case "memory":
      return { x: 0, y: random.between(1, 200_000) };
    case "body":
      return { x: 0, y: random.chance(0.2) ? random.between(1, 2000) : 0 };
    case "put":
    case "post":
    case "get":
    case "get-opened":
    case "delete":
      return { x: random.chance(0.7) ? random.between(0, 4) : random.between(10, 12), y: drawBytes(random) };
    default:
      // A body, and how much of it is wanted at most.
      return { x: drawBytes(random), y: random.chance(0.1) ? random.between(1, 2000) : 0 };
  }
}

/** Mostly small; now and then more than the arena takes at first. */
function drawBytes(random: Random): number {
  if (random.chance(0.1)) return 0;
  return random.chance(0.1) ? random.between(5_000, 60_000) : random.between(1, 2000);
}

export function pathOf({ id, steps }: Program): string {
  const parts = steps.map(({ operation, parent, deadline, x, y }) =>
    [LETTERS[operation], parent, deadline, x, y].join(","),
  );
  return `/${id}/${parts.join(";")}`;
}
