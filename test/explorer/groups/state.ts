// State: what the explorer's host knows between two turns of a guest of groups. It is the host, and at the same time the
// ledger against which the guest is checked. A plain value, so that it is saved and compared as its text.

import { Opcode } from "../../../assembly/abi.ts";
import type { Tree } from "./tree.ts";

export const INSTANCE = 2;
export const ENDED = "ended";

/** One submission that the guest counts as in flight. */
export interface Entry {
  slot: number;
  generation: number;
  opcode: Opcode;
  context: number;
  /** A member's identity, or a timer's milliseconds. */
  number: number;
  /** Its completion waits for a turn. */
  queued: boolean;
  /** The guest has cancelled it, as far as the host has heard. */
  cancelled: boolean;
}

export interface Completion {
  slot: number;
  generation: number;
  status: number;
  flags: number;
  resource: number;
  auxiliary: number;
}

export interface Group {
  started: boolean;
  done: boolean;
  /** A cancel has won. */
  cancelled: boolean;
  /** For a group of members alone, whose outcome it is: a member's identity, or one of the below. */
  decided: number;
  /** Failures of members before that, and those of them that were reported. */
  failures: number;
  reported: number;
  /** The host's limit was felt. */
  refused: boolean;
  /** What a channel has taken from it, or given to it; 0 for nothing. */
  value: number;
}

export const OPEN = -1;
export const ALL = -2;
export const DEADLINE = -3;

export interface Member {
  /** How often it was submitted. */
  attempts: number;
  /** What it came to the last time, as the guest heard it. */
  status: number | null;
  resource: number;
}

export interface State {
  entries: Entry[];
  queues: Completion[][];
  /** Which context has each resource that is open; ENDED if that context ended first. */
  resources: Record<number, number | typeof ENDED>;
  groups: Group[];
  members: Member[];
  /** Deadlines that have passed. */
  passed: number[];
  /** Contexts that were killed, or ended by a trap. */
  ended: boolean[];
  /** Commands that may still come: one bit each. */
  commands: number;
  /** Kills and traps that may still come. */
  faults: number;
  trapped: boolean;
  /** The channel is. */
  closed: boolean;
}

export interface Command {
  /** Either of them that lives, if it is not given. */
  readonly context: number | undefined;
  readonly auxiliary: number;
  readonly title: string;
}

/** Which groups there are, and what may happen to them. */
export interface Plan {
  readonly name: string;
  readonly groups: readonly { readonly tree: Tree; readonly context: number }[];
  readonly gate?: { readonly limit: number; readonly room: number };
  readonly channel?: number;
  /** The commands to start are in the queues from the beginning. */
  readonly atOnce?: boolean;
  /** What members come to; without it: success with and without a resource, failure, time-out. */
  readonly outcomes?: readonly Outcome[];
  /** Groups that may be cancelled; all, if it is not given. */
  readonly cancels?: readonly number[];
  readonly cancelsScope?: boolean;
  readonly closesChannel?: boolean;
  /** Kills and traps in one script; 1 if it is not given. */
  readonly faults?: number;
  /** Operations that the host admits, the accept left aside; without it as many as are submitted. */
  readonly capacity?: number;
  /** Whether what waits may be ended by the host's own limit. */
  readonly waitsEnd?: boolean;
}

export type Outcome = "success" | "resource" | "failure" | "timeout";

const isWait = ({ opcode }: Entry): number => (opcode === Opcode.Wait ? 0 : 1);

/** Waits stay in the order of their submission, in which they are to be woken; of all others the order says nothing. */
export function textOf(state: State): string {
  state.entries.sort(
    (left, right) => isWait(left) - isWait(right) || (isWait(left) === 0 ? 0 : left.slot - right.slot),
  );
  return JSON.stringify(state);
}
