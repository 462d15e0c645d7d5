// State: what the explorer's host knows between two turns, and what the world may do to it then.
//
// It has one entry for each submission that the guest counts as in flight, and a queue of completions for each context.
// So it is the host, and at the same time the ledger against which the guest is checked.

import { MORE, RECLAIM, Status } from "../../assembly/abi.ts";

/** Contexts: two requests, and the instance itself, whose completions come first in every turn. */
export const REQUESTS = [0, 1] as const;
export const INSTANCE = 2;

/** Whose handler hears a completion: the accept's, that of a driven operation (1 and up), or none's. */
export const ACCEPT = 0;
export const NOBODY = 15;
/** Slots are below this number; see packing.ts. */
const SLOTS_MAX = 16;

/** Where a submission is. The first three exist only while a turn lasts. */
export enum Stage {
  Prepared,
  Refused,
  Polled,
  /** The host works on it. */
  Admitted,
  /** Its final completion waits for a turn. */
  Queued,
}

export interface Token {
  slot: number;
  generation: number;
}

/** One submission that the guest counts as in flight. */
export interface Entry extends Token {
  identity: number;
  context: number;
  stage: Stage;
  /** A cancel has won. */
  cancelled: boolean;
  /** Its context is over. */
  reclaimed: boolean;
}

export interface Completion extends Token {
  status: Status;
  flags: number;
  resource: number;
}

/** The handle that a success brings, and an event's exchange. Small, and unique among those that are open. */
export const handleOf = (slot: number): number => SLOTS_MAX + slot;
export const exchangeOf = (context: number): number => 1 + context;

export const titleOf = (context: number): string => "AB"[context] ?? "the instance";

export function nameOf({ slot, identity }: Entry): string {
  if (identity === ACCEPT) return "the accept";
  return identity === NOBODY ? `what nobody hears (slot ${slot})` : `operation ${identity} (slot ${slot})`;
}

export class State {
  readonly entries: Entry[] = [];
  /** What waits for a turn, for each context. */
  readonly queues: Completion[][] = [[], [], []];
  /** The last turn ended by an abort, and no other has followed. */
  trapped = false;
  /** The CPU limit is near, and the guest has not noticed yet. */
  warned = false;
  /** Takes down what happens, in words. */
  log: ((line: string) => void) | undefined;

  // Steps of the world.

  /** Whether an incoming event may come in this context. One at a time: more would wait just the same. */
  mayArrive(context: number): boolean {
    const isListening = this.entries.some(({ identity, stage }) => identity === ACCEPT && stage === Stage.Admitted);
    return isListening && this.queues[context]!.every(({ flags }) => !(flags & MORE));
  }

  arrive(context: number): void {
    const { slot, generation } = this.entries.find(({ identity }) => identity === ACCEPT)!;
    const resource = exchangeOf(context);
    this.queues[context]!.push({ slot, generation, status: Status.Ok, flags: MORE, resource });
    this.log?.(`a request comes in context ${titleOf(context)}`);
  }

  /** The operations that the host works on, other than the accept. */
  working(): Entry[] {
    return this.entries.filter(({ identity, stage }) => identity !== ACCEPT && stage === Stage.Admitted);
  }

  /** Success brings a handle. */
  complete(entry: Entry, status: Status): void {
    this.queue(entry, status, status === Status.Ok ? handleOf(entry.slot) : 0);
    this.log?.(`${nameOf(entry)} completes with ${Status[status]}`);
  }

  mayDie(context: number): boolean {
    return this.queues[context]!.length > 0 || this.entries.some((entry) => isOf(entry, context));
  }

  /** The platform ends a request. */
  kill(context: number): void {
    this.log?.(`the platform kills context ${titleOf(context)}`);
    this.reclaim(context);
  }

  /** A context is over: the guest hears of what it had by completions flagged RECLAIM. */
  reclaim(context: number): void {
    this.queues[context]!.length = 0;
    for (const entry of this.entries) {
      if (!isOf(entry, context)) continue;
      entry.reclaimed = true;
      this.queue(entry, Status.ShutDown, 0, RECLAIM);
    }
  }

  /** Queues an operation's final completion. */
  queue(entry: Entry, status: Status, resource = 0, flags = 0): void {
    const { slot, generation } = entry;
    entry.stage = Stage.Queued;
    const context = flags & RECLAIM ? INSTANCE : entry.context;
    this.queues[context]!.push({ slot, generation, status, flags, resource });
  }

  /** How many completions a turn of this context could take. */
  due(context: number): number {
    return this.queues[context]!.length + this.queues[INSTANCE]!.length;
  }

  /** The next of them. */
  take(context: number): Completion | undefined {
    return this.queues[INSTANCE]!.shift() ?? this.queues[context]!.shift();
  }

  // Entries.

  /** How many operations the host has admitted. Without the accept: a capacity of 1 leaves room for one operation. */
  admitted(): number {
    return this.entries.filter(({ stage, identity }) => stage >= Stage.Admitted && identity !== ACCEPT).length;
  }

  find({ slot, generation }: Token): Entry | undefined {
    return this.entries.find((entry) => entry.slot === slot && entry.generation === generation);
  }

  /** Takes note of a submission. False if its slot is in use. */
  add(entry: Entry): boolean {
    if (entry.slot >= SLOTS_MAX) throw new Error("SLOTS_MAX is too small");
    return this.entries.every(({ slot }) => slot !== entry.slot) && this.entries.push(entry) > 0;
  }

  remove(entry: Entry): void {
    this.entries.splice(this.entries.indexOf(entry), 1);
  }

  /** An identity that no handler in flight has. */
  freeIdentity(): number {
    for (let identity = 1; identity < NOBODY; identity++) {
      if (this.entries.every((entry) => entry.identity !== identity)) return identity;
    }
    throw new Error("more operations are in flight than there are identities");
  }
}

const isOf = (entry: Entry, context: number): boolean =>
  entry.context === context && entry.stage >= Stage.Admitted && !entry.reclaimed;
