// Script: what a request of a test does with composite operations, as a value that fast-check draws and shrinks.

import type { Odd } from "../guest/support/composite.ts";
import { Kind, Statement } from "../guest/support/composite.ts";

/** What a call to the outside comes to, and after how many milliseconds. */
export interface Answer {
  ms: number;
  /** An HTTP status; for the store 200 is a value, 404 none. 0: it fails by itself. */
  status: number;
}

export type Op = { deadline?: number } & (
  | { op: "noop" }
  | { op: "timer"; ms: number }
  /** Its attempts' answers, one after the other; the last for all that follow. */
  | { op: "get" | "page" | "fetch"; key: number; answers: Answer[] }
  | { op: "send"; channel: number; value: number }
  | { op: "receive"; channel: number }
  | { op: "join"; scope: number }
  | { op: "gather" | "settled" | "race" | "any" | "sequence" | "steps"; of: Op[] }
  | { op: "retry"; policy: Policy; of: Op }
  | { op: "fallback"; first: Op; second: Op }
  | { op: "hedge"; ms: number; first: Op; second?: Op }
  | { op: "delay"; ms: number; of: Op }
  | { op: "map" | "mapTrap" | "ensure"; of: Op }
  | { op: "limit"; gate: number; of: Op }
  | { op: "share"; key: number; of: Op }
  | { op: "within"; scope: number; of: Op }
);

export interface Policy {
  attempts: number;
  base: number;
  factor: number;
  cap: number;
  attempt: number;
  /** Tries again after a status of 500 or more, too, and after any failure. */
  badStatus: boolean;
}

export type Step =
  | { do: "submit"; number: number; operation: Op; next: Step[] }
  | { do: "detach"; operation: Op }
  | { do: "cancel"; number: number }
  | { do: "cancelScope"; scope: number }
  | { do: "closeChannel"; channel: number }
  | { do: "trap" }
  | { do: "deep"; number: number; kind: Op["op"]; depth: number; operation: Op; next: Step[] }
  | { do: "odd"; number: number; odd: Odd; next: Step[] }
  | { do: "rounds"; rounds: number; operation: Op }
  | { do: "count" };

export interface Shared {
  gates: { limit: number; room: number }[];
  /** The capacities. */
  channels: number[];
}

/** As the guest reads it. */
export function encode(shared: Shared, steps: Step[]): string {
  const gates = shared.gates.flatMap(({ limit, room }) => [limit, room]);
  return [shared.gates.length, ...gates, shared.channels.length, ...shared.channels, ...block(steps)].join(",");
}

function block(steps: Step[]): number[] {
  const words = steps.flatMap(wordsOf);
  return [words.length, ...words];
}

function wordsOf(step: Step): number[] {
  switch (step.do) {
    case "submit":
      return [Statement.Submit, step.number, ...block(step.next), ...operation(step.operation)];
    case "detach":
      return [Statement.Detach, ...operation(step.operation)];
    case "cancel":
      return [Statement.Cancel, step.number];
    case "cancelScope":
      return [Statement.CancelScope, step.scope];
    case "closeChannel":
      return [Statement.CloseChannel, step.channel];
    case "trap":
      return [Statement.Trap];
    case "deep":
      return [
        Statement.Deep,
        step.number,
        ...block(step.next),
        KINDS[step.kind],
        step.depth,
        ...operation(step.operation),
      ];
    case "rounds":
      return [Statement.Rounds, step.rounds, ...operation(step.operation)];
    case "odd":
      return [Statement.Odd, step.number, ...block(step.next), step.odd];
    case "count":
      return [Statement.Count];
  }
}

const KINDS: Record<Op["op"], Kind> = {
  noop: Kind.Noop,
  timer: Kind.Timer,
  get: Kind.Get,
  page: Kind.Page,
  fetch: Kind.Fetch,
  send: Kind.Send,
  receive: Kind.Receive,
  join: Kind.Join,
  gather: Kind.Gather,
  settled: Kind.Settled,
  race: Kind.Race,
  any: Kind.Any,
  sequence: Kind.Sequence,
  steps: Kind.Steps,
  retry: Kind.Retry,
  fallback: Kind.Fallback,
  hedge: Kind.Hedge,
  delay: Kind.Delay,
  map: Kind.Map,
  mapTrap: Kind.MapTrap,
  ensure: Kind.Ensure,
  limit: Kind.Limit,
  share: Kind.Share,
  within: Kind.Within,
};

const operation = (op: Op): number[] => [KINDS[op.op], op.deadline ?? 0, ...rest(op)];

function rest(op: Op): number[] {
  switch (op.op) {
    case "noop":
      return [];
    case "timer":
      return [op.ms];
    case "get":
    case "page":
    case "fetch":
      return [op.key];
    case "send":
      return [op.channel, op.value];
    case "receive":
      return [op.channel];
    case "join":
      return [op.scope];
    case "gather":
    case "settled":
    case "race":
    case "any":
    case "sequence":
    case "steps":
      return [op.of.length, ...op.of.flatMap(operation)];
    case "retry": {
      const { attempts, base, factor, cap, attempt, badStatus } = op.policy;
      return [attempts, base, factor, cap, attempt, Number(badStatus), ...operation(op.of)];
    }
    case "fallback":
      return [...operation(op.first), ...operation(op.second)];
    case "hedge":
      return [op.ms, op.second ? 1 : 0, ...operation(op.first), ...(op.second ? operation(op.second) : [])];
    case "delay":
      return [op.ms, ...operation(op.of)];
    case "map":
    case "mapTrap":
    case "ensure":
      return operation(op.of);
    case "limit":
      return [op.gate, ...operation(op.of)];
    case "share":
      return [op.key, ...operation(op.of)];
    case "within":
      return [op.scope, ...operation(op.of)];
  }
}

/** All operations of a script, those in handlers and inside others included. */
export function* operationsOf(steps: Step[]): Generator<Op> {
  for (const step of steps) {
    if ("operation" in step) yield* inside(step.operation);
    if ("next" in step) yield* operationsOf(step.next);
  }
}

function* inside(op: Op): Generator<Op> {
  yield op;
  if ("of" in op) for (const member of [op.of].flat()) yield* inside(member);
  if ("first" in op) yield* inside(op.first);
  if ("second" in op && op.second) yield* inside(op.second);
}
