// Host script: what a hostile guest does to the host, as data, so that it can be shrunk, kept and run again.
//
// A script is a list of turns, whichever requests they fall to. Numbers that only a run can know (resources, the end of
// memory) are written as what they stand for, so that a script means the same after parts of it were taken out.

import { Opcode, SUBMISSION_BYTES } from "../../assembly/abi.ts";
import type { Isolation } from "../../src/index.ts";
import { Dice, pairsText } from "./dice.ts";
import { without } from "./shrink.ts";
import type { Part } from "./shrink.ts";

export interface HostScript {
  /** Of the simulated world: delays and faults. */
  seed: number;
  isolation: Isolation;
  /** Requests that are sent at once. */
  requests: number;
  turns: Turn[];
}

export interface Turn {
  /** Completions that are polled as the contract says, before anything else; 0: none. */
  take: number;
  steps: Step[];
  end: End;
}

export type End =
  /** The number of completions taken, or any other. */
  ["return"] | ["answer", number] | ["abort", ...number[]] | ["throw"];

export type Step =
  | { do: "submit"; records: Submission[]; at?: Place; count?: number }
  | { do: "poll"; at: Place; capacity: number; arena: Place; arenaBytes: number; overlapping?: true }
  | { do: "open"; name: string; at?: Place; bytes?: number }
  | { do: "grow"; pages: number };

/** An address; "end" counts back from the end of memory, "top" too, and says nothing of the record that begins there. */
export type Place = ["at", number] | ["end", number];

/** Where content lies: nowhere, at a place of its own, or anywhere at all. */
export type Content = ["none"] | ["bytes", string] | ["last", string] | ["range", Place, number];

/** A resource: one that this request has, one of another request's, a grant by its number, or any number. */
export type Ref = ["own" | "foreign" | "grant" | "raw", number];

export interface Submission {
  opcode: number;
  resource: Ref;
  flags?: number;
  deadline?: number;
  name?: Content;
  data?: Content;
  meta?: Content;
  /** Numbers, resources, or the token of an earlier submission, counted back. */
  arguments?: (number | Ref | ["token", number])[];
  /** Instead of a token of its own. */
  token?: readonly [slot: number, generation: number];
  /** Words of the record that are something else in the end. */
  words?: (readonly [index: number, value: number])[];
}

const RECORDS_MOST = 32;
const FLAGS = [0, 0, 0, 1, 1, 0x8000, 0x8001];
const TURNS = 32;

export function hostScript(seed: number): HostScript {
  const dice = new Dice(seed);
  const isolation = dice.pick<Isolation>(["pooled", "pooled", "shared", "shared", "shared", "request"]);
  const turns = Array.from({ length: TURNS }, () => turn(dice));
  return { seed, isolation, requests: dice.between(1, 4), turns };
}

function turn(dice: Dice): Turn {
  const take = dice.chance(0.1) ? 0 : dice.pick([1, 2, 8, 64, 64, 64]);
  const steps = Array.from({ length: dice.between(1, 4) }, () => step(dice));
  return { take, steps: dice.chance(0.06) ? [...flood(dice), ...steps] : steps, end: end(dice) };
}

/** Fills the host, so that what comes next is over the limit, and opens what may be closed then. */
function flood(dice: Dice): Step[] {
  const noops = (): Step => ({
    do: "submit",
    records: Array.from({ length: 40 }, () => wellFormed(dice, Opcode.Noop)),
  });
  const relieving = (): Submission => wellFormed(dice, dice.pick([Opcode.Cancel, Opcode.Close, Opcode.Respond]));
  const last: Step = { do: "submit", records: Array.from({ length: 8 }, relieving) };
  return [{ do: "open", name: "STORE" }, noops(), noops(), noops(), noops(), last];
}

function end(dice: Dice): End {
  switch (dice.weighted({ return: 96, answer: 1.5, abort: 2, throw: 0.5 })) {
    case "answer":
      return ["answer", dice.edge() | 0];
    case "abort":
      return ["abort", ...Array.from({ length: 6 }, () => dice.edge())];
    case "throw":
      return ["throw"];
    default:
      return ["return"];
  }
}

function step(dice: Dice): Step {
  switch (dice.weighted({ submit: 62, poll: 28, open: 8, grow: 2 })) {
    case "poll":
      return poll(dice);
    case "open":
      return open(dice);
    case "grow":
      return { do: "grow", pages: 1 };
    default:
      return submit(dice);
  }
}

function poll(dice: Dice): Step {
  const [at, arena] = [place(dice), place(dice)];
  const step: Step = { do: "poll", at, capacity: capacity(dice), arena, arenaBytes: arenaBytes(dice) };
  if (dice.chance(0.005)) step.overlapping = true;
  return step;
}

function capacity(dice: Dice): number {
  return dice.chance(0.8) ? dice.between(0, 16) : dice.edge();
}

function arenaBytes(dice: Dice): number {
  return dice.chance(0.5) ? dice.between(0, 4096) : dice.edge();
}

/** Anywhere, with a liking for the ends of memory. */
function place(dice: Dice): Place {
  switch (dice.weighted({ inside: 5, end: 3, edge: 2 })) {
    case "inside":
      return ["at", dice.between(0, 0x3ffe) * 4 + (dice.chance(0.1) ? dice.between(1, 3) : 0)];
    case "end":
      return ["end", dice.pick([0, 1, 4, 8, 16, 28, 32, 60, 64, 96, 128, 1024, 4096]) + (dice.chance(0.2) ? 1 : 0)];
    default:
      return ["at", dice.edge()];
  }
}

function submit(dice: Dice): Step {
  const records = Array.from({ length: dice.between(1, dice.chance(0.8) ? 12 : RECORDS_MOST) }, () => submission(dice));
  const step: Step = { do: "submit", records };
  if (dice.chance(0.1)) step.at = dice.chance(0.5) ? place(dice) : ["end", records.length * SUBMISSION_BYTES];
  if (dice.chance(0.05)) step.count = dice.chance(0.5) ? dice.edge() : dice.between(0, 64);
  return step;
}

const NAMES = [
  "STORE",
  "READ",
  "API",
  "STORE",
  "READ",
  "API",
  "",
  "store",
  "__proto__",
  "constructor",
  "STORE\0",
  "\xff",
];

function open(dice: Dice): Step {
  const name = dice.chance(0.9) ? dice.pick(NAMES) : dice.bytes(dice.between(0, 300));
  const step: Step = { do: "open", name };
  if (dice.chance(0.2)) step.at = place(dice);
  if (dice.chance(0.2)) step.bytes = dice.edge();
  return step;
}

const WEIGHTS: Record<keyof typeof Opcode, number> = {
  Noop: 10,
  Cancel: 12,
  Close: 8,
  Timer: 12,
  Accept: 1,
  Respond: 6,
  Read: 6,
  Fetch: 9,
  KvGet: 9,
  KvPut: 7,
  KvDelete: 3,
  KvList: 4,
  Report: 2,
  Wait: 3,
  Wake: 3,
};

function submission(dice: Dice): Submission {
  const record = wellFormed(dice, Opcode[dice.weighted(WEIGHTS)]);
  if (dice.chance(0.08)) record.opcode = dice.edge() & 0xffff;
  if (dice.chance(0.2)) record.flags = dice.chance(0.7) ? dice.pick(FLAGS) : dice.edge() & 0xffff;
  if (dice.chance(0.15)) record.deadline = dice.chance(0.8) ? dice.between(1, 60) : dice.edge();
  if (dice.chance(0.1)) record.resource = reference(dice);
  for (const field of ["name", "data", "meta"] as const) if (dice.chance(0.06)) record[field] = content(dice);
  if (dice.chance(0.1)) record.arguments = Array.from({ length: 4 }, () => dice.edge());
  if (dice.chance(0.03)) record.token = [dice.edge(), dice.edge()];
  if (dice.chance(0.05)) record.words = [[dice.between(0, 15), dice.edge()]];
  return record;
}

function reference(dice: Dice): Ref {
  const kind = dice.pick(["own", "own", "foreign", "foreign", "grant", "raw"] as const);
  return [kind, kind === "raw" ? dice.edge() : dice.between(0, 7)];
}

/** Content that is wrong in some way, or in none. */
function content(dice: Dice): Content {
  switch (dice.weighted({ none: 1, text: 2, bytes: 2, last: 2, big: 1, range: 4 })) {
    case "none":
      return ["none"];
    case "text":
      return ["bytes", dice.pick(["key", "é".repeat(3), "\xed\xa0\x80", "\xc0\xaf", "x".repeat(513)])];
    case "bytes":
      return ["bytes", dice.bytes(dice.between(1, 40))];
    case "last":
      return ["last", dice.bytes(dice.between(1, 40))];
    case "big":
      return ["bytes", "b".repeat(dice.pick([1024, 1025, 4096]))];
    default:
      return ["range", place(dice), dice.edge()];
  }
}

const HEADERS = [
  ["accept", "text/plain"],
  ["x-one", "1"],
  ["x-one", "2"],
  ["content-type", "text/plain"],
  ["cookie", "a=b"],
] as const;
/** Headers that HTTP does not allow, and some that it does. */
const ODD_HEADERS = [
  ["", "x"],
  ["a b", "x"],
  ["x", "y\r\nz: w"],
  ["__proto__", "x"],
  ["transfer-encoding", "chunked"],
  ["content-length", "7"],
  ["\xc3\xa9", "x"],
  ["x", "\xff\xfe"],
] as const;
const URLS = ["/", "/text", "/big", "/redirect", "/away", "/missing", "https://api.test/text"];
const ODD_URLS = [
  "https://other.test/",
  "//other.test/",
  "http://api.test/",
  "blob:https://api.test/x",
  "::",
  "\0",
  "",
];
const KEYS = ["a", "b", "c", "d", "", ".", "..", "k".repeat(512), "k".repeat(513)];

function headers(dice: Dice): (readonly [string, string])[] {
  const list = dice.chance(0.9) ? HEADERS : [...HEADERS, ...ODD_HEADERS];
  return Array.from({ length: dice.between(0, 3) }, () => dice.pick(list));
}

function pairs(dice: Dice, list: (readonly [string, string])[]): Content {
  const lie = dice.chance(0.05) ? ([dice.between(0, 9), dice.pick([-1, 1, 4, 1024, 0x7fff_ffff])] as const) : undefined;
  return ["bytes", pairsText(list, lie)];
}

/** A submission without mistakes, as far as one can say beforehand. */
function wellFormed(dice: Dice, opcode: Opcode): Submission {
  const own: Ref = ["own", dice.pick([0, 0, 1, 2, 3])];
  switch (opcode) {
    case Opcode.Cancel:
      return { opcode, resource: ["raw", 0], arguments: [["token", dice.between(0, 40)]] };
    case Opcode.Close:
    case Opcode.Read:
      return { opcode, resource: own, arguments: [dice.pick([0, 0, 1, 10, 100_000])] };
    case Opcode.Timer:
      return { opcode, resource: ["raw", 0], arguments: [dice.chance(0.95) ? dice.between(0, 40) : dice.edge()] };
    case Opcode.Accept:
      return { opcode, resource: ["raw", 0], arguments: [dice.between(0, 3)] };
    case Opcode.Respond:
      return respond(dice);
    case Opcode.Fetch:
      return fetch(dice);
    case Opcode.KvGet:
      return {
        opcode,
        resource: store(dice),
        name: ["bytes", dice.pick(KEYS)],
        arguments: [dice.pick([0, 0, 30, 29])],
      };
    case Opcode.KvPut:
      return put(dice);
    case Opcode.KvDelete:
      return { opcode, resource: store(dice), name: ["bytes", dice.pick(KEYS)] };
    case Opcode.KvList:
      return { opcode, resource: store(dice), name: ["bytes", dice.pick(["", "a"])], arguments: [dice.between(0, 3)] };
    default:
      return { opcode, resource: ["raw", 0] };
  }
}

function store(dice: Dice): Ref {
  return ["grant", dice.pick([0, 0, 0, 1])];
}

function respond(dice: Dice): Submission {
  const status = dice.chance(0.9) ? dice.pick([200, 204, 404, 500]) : dice.edge();
  const record: Submission = { opcode: Opcode.Respond, resource: ["own", 0], arguments: [status] };
  record.meta = pairs(dice, headers(dice));
  if (dice.chance(0.4)) record.data = ["bytes", "answer"];
  if (dice.chance(0.3)) record.arguments!.push(["own", dice.pick([0, 1, 1, 2])]);
  if (dice.chance(0.2)) record.flags = 1;
  return record;
}

function fetch(dice: Dice): Submission {
  const url = dice.chance(0.85) ? dice.pick(URLS) : dice.pick(ODD_URLS);
  const method = dice.pick(["GET", "GET", "GET", "POST", "HEAD", "get", "TRACE", "a b"]);
  const record: Submission = { opcode: Opcode.Fetch, resource: ["grant", 2] };
  record.meta = pairs(dice, [[method, url], ...headers(dice)]);
  record.arguments = [dice.pick([0, 0, 10, 100_000]), dice.pick([0, 0, 0, 1, 2, 3]), 0];
  if (dice.chance(0.2)) record.data = ["bytes", "body"];
  if (dice.chance(0.2)) record.arguments[2] = ["own", dice.pick([0, 1, 1, 2])];
  if (dice.chance(0.5)) record.flags = 1;
  return record;
}

/** The value says which key it belongs to, so that the store can tell whether it got the right bytes. */
function put(dice: Dice): Submission {
  const key = dice.pick(["a", "b", "c", "d"]);
  const record: Submission = { opcode: Opcode.KvPut, resource: store(dice), name: ["bytes", key] };
  record.data = ["bytes", key.repeat(dice.pick([0, 1, 7, 100, 4000]))];
  if (dice.chance(0.3)) record.meta = ["bytes", dice.pick(["1", '{"a":[1,2]}', "{", "\xff", `"${"m".repeat(1023)}"`])];
  if (dice.chance(0.2)) record.arguments = [dice.pick([0, 100, 0x7fff_ffff]), dice.pick([0, 59, 60, 61])];
  return record;
}

/** The lists of a script, larger ones first. */
export function hostParts(script: HostScript): Part<HostScript>[] {
  const withTurn = (index: number, change: Partial<Turn>): HostScript => ({
    ...script,
    turns: script.turns.map((turn, place) => (place === index ? { ...turn, ...change } : turn)),
  });
  const steps = script.turns.map(({ steps }, index): Part<HostScript> => ({
    length: steps.length,
    without: (from, to) => withTurn(index, { steps: without(steps, from, to) }),
  }));
  const records = script.turns.flatMap(({ steps }, index) =>
    steps.flatMap((step): Part<HostScript>[] => {
      if (step.do !== "submit") return [];
      const put = (list: Submission[]): HostScript =>
        withTurn(index, { steps: steps.map((other) => (other === step ? { ...step, records: list } : other)) });
      return [{ length: step.records.length, without: (from, to) => put(without(step.records, from, to)) }];
    }),
  );
  const whole: Part<HostScript> = {
    length: script.turns.length,
    without: (from, to) => ({ ...script, turns: without(script.turns, from, to) }),
  };
  return [whole, ...steps, ...records];
}
