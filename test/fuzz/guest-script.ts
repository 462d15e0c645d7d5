// Guest script: what a hostile host does to a guest, as data, so that it can be shrunk, kept and run again.

import { Status } from "../../assembly/abi.ts";
import { Dice, pairsText } from "./dice.ts";
import { without } from "./shrink.ts";
import type { Part } from "./shrink.ts";

export interface GuestScript {
  /** Whether handlers look at payloads, and whether lists in them may lie about their lengths: then they may trap. */
  payloads: "ignored" | "read" | "malformed";
  steps: GuestStep[];
}

/** `demand`: poll says TooBig first. `count`: poll says that it wrote so many, which is no number that it may say. */
export type GuestStep =
  | { do: "start"; kinds: number[]; refused?: number[] }
  | { do: "cancel"; token: TokenRef; refused?: number[] }
  | { do: "run"; budget: number; completions: Forged[]; demand?: number; refused?: number[]; count?: number };

/**
 * Whose completion it is: of an operation in flight, of one that has ended, of one that will be started, of one that
 * was refused and has not heard of it, or of nobody. `by` is added to the generation.
 */
export type TokenRef =
  | { of: "live" | "ended" | "next" | "refused"; index: number; by?: number }
  | { of: "nobody"; slot: number; generation: number };

export interface Forged {
  token: TokenRef;
  status?: number;
  flags?: number;
  resource?: number;
  auxiliary?: number;
  payload?: string;
  /** Of a list of pairs: what its first numbers are instead. */
  lie?: readonly [word: number, value: number];
}

/** Of the operations that test/guest/fuzz.ts starts; the last one's handler aborts, which ends the turn. */
const KIND_COUNT = 9;
const STEPS = 24;

export function guestScript(seed: number): GuestScript {
  const dice = new Dice(seed);
  const payloads = dice.pick(["ignored", "read", "read", "malformed"] as const);
  return { payloads, steps: Array.from({ length: STEPS }, () => step(dice, payloads)) };
}

function step(dice: Dice, payloads: GuestScript["payloads"]): GuestStep {
  switch (dice.weighted({ start: 6, cancel: 3, run: 12 })) {
    case "start": {
      const kinds = Array.from({ length: dice.between(1, 40) }, () => kind(dice, payloads));
      return { do: "start", kinds, ...refused(dice) };
    }
    case "cancel":
      return { do: "cancel", token: token(dice), ...refused(dice) };
    default:
      return run(dice, payloads);
  }
}

function kind(dice: Dice, payloads: GuestScript["payloads"]): number {
  // Where any handler may trap, one that aborts says nothing.
  return payloads !== "malformed" && dice.chance(0.02) ? KIND_COUNT - 1 : dice.between(0, KIND_COUNT - 2);
}

function run(dice: Dice, payloads: GuestScript["payloads"]): GuestStep {
  const count = dice.pick([0, 1, 2, 10, 40, 100, 256]);
  const completions = Array.from({ length: count }, () => forged(dice, payloads));
  const budget = dice.pick([256, 256, 256, 10, 1, 1000, 0, -1, 0x7fff_ffff]);
  const step: GuestStep = { do: "run", budget, completions, ...refused(dice) };
  if (dice.chance(0.02)) step.count = dice.pick([-1, -2, 257, 1000, 0x7fff_ffff, -0x8000_0000]);
  if (dice.chance(0.1)) step.demand = dice.chance(0.7) ? dice.between(0, 100_000) : dice.edge();
  return step;
}

/** Which submissions of this step the host refuses, counted from its first. */
function refused(dice: Dice): { refused?: number[] } {
  if (!dice.chance(0.2)) return {};
  return { refused: Array.from({ length: dice.between(1, 6) }, () => dice.between(0, 20)) };
}

function token(dice: Dice): TokenRef {
  const of = dice.weighted({ live: 50, ended: 15, next: 8, refused: 4, nobody: 10 });
  if (of === "nobody")
    return { of, slot: dice.chance(0.5) ? dice.between(0, 100) : dice.edge(), generation: dice.edge() };
  const reference: TokenRef = { of, index: dice.between(0, 300) };
  if (dice.chance(0.1)) reference.by = dice.pick([-1, 1, 2, 0x8000_0000, 0xffff_ffff]);
  return reference;
}

const STATUSES = Object.values(Status).filter((value) => typeof value === "number");

function forged(dice: Dice, payloads: GuestScript["payloads"]): Forged {
  const completion: Forged = { token: token(dice) };
  if (dice.chance(0.4)) completion.status = dice.chance(0.8) ? dice.pick(STATUSES) : dice.edge() | 0;
  if (dice.chance(0.3)) completion.flags = dice.chance(0.7) ? dice.between(0, 7) : dice.edge();
  if (dice.chance(0.2)) completion.resource = dice.edge();
  if (dice.chance(0.2)) completion.auxiliary = payloads === "malformed" ? dice.edge() : dice.between(0, 2);
  if (payloads === "ignored") return completion;
  completion.payload = payload(dice);
  if (payloads === "malformed" && dice.chance(0.2)) completion.lie = [dice.between(0, 4), dice.edge()];
  return completion;
}

/** A list of pairs, which any handler can read: its first name and value are what a request's head begins with. */
function payload(dice: Dice): string {
  const text = (): string => (dice.chance(0.7) ? "text 1 " : dice.bytes(dice.between(0, 12)));
  const list: [string, string][] = [
    ["GET", dice.pick(["http://guest.test/path?a=b%20c&d ", " ", ":: ", `${dice.bytes(20)} `])],
  ];
  // A list of keys needs a space in each value.
  for (let more = dice.between(0, 3); more > 0; more--)
    list.push([dice.pick(["x-one", "X-ONE", text()]), `7 ${text()}`]);
  return pairsText(list) + text();
}

/** The lists of a script, larger ones first. */
export function guestParts(script: GuestScript): Part<GuestScript>[] {
  const within = (index: number, key: "kinds" | "completions" | "refused"): Part<GuestScript>[] => {
    const items = (script.steps[index] as Partial<Record<typeof key, unknown[]>>)[key] ?? [];
    const put = (list: unknown[]): GuestScript => {
      const steps = script.steps.map((step, place) => (place === index ? { ...step, [key]: list } : step));
      return { ...script, steps: steps as GuestStep[] };
    };
    return [{ length: items.length, without: (from, to) => put(without(items, from, to)) }];
  };
  const whole: Part<GuestScript> = {
    length: script.steps.length,
    without: (from, to) => ({ ...script, steps: without(script.steps, from, to) }),
  };
  const lists = script.steps.flatMap((_, index) => [
    ...within(index, "completions"),
    ...within(index, "kinds"),
    ...within(index, "refused"),
  ]);
  return [whole, ...lists];
}
