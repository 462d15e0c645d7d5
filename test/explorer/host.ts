// Host: the explorer's own side of the contract, a few lists of small numbers, and the judge of what the guest does.
//
// It admits, completes, refuses and reclaims as docs/contract.md says. Beside that it keeps one entry for each
// submission that the guest counts as in flight, so at every call it knows what the guest must do next.

import {
  ACCEPT_HEADERS,
  COMPLETION_AUXILIARY,
  COMPLETION_BYTES,
  COMPLETION_FLAGS,
  COMPLETION_PAYLOAD,
  COMPLETION_PAYLOAD_BYTES,
  COMPLETION_RESOURCE,
  COMPLETION_STATUS,
  COMPLETION_TOKEN_GENERATION,
  COMPLETION_TOKEN_SLOT,
  CancelResult,
  DETACHED,
  DISPATCHED,
  EventKind,
  MORE,
  Opcode,
  RECLAIM,
  SUBMISSION_ARGUMENT_0,
  SUBMISSION_ARGUMENT_1,
  SUBMISSION_ARGUMENT_2,
  SUBMISSION_ARGUMENT_3,
  SUBMISSION_BYTES,
  SUBMISSION_DATA_BYTES,
  SUBMISSION_DEADLINE_MS,
  SUBMISSION_META,
  SUBMISSION_META_BYTES,
  SUBMISSION_NAME,
  SUBMISSION_NAME_BYTES,
  SUBMISSION_OPCODE,
  SUBMISSION_RESERVED,
  SUBMISSION_RESOURCE,
  SUBMISSION_TOKEN_GENERATION,
  SUBMISSION_TOKEN_SLOT,
  Status,
} from "../../assembly/abi.ts";
import { RECORDS } from "./machine.ts";
import type { Machine } from "./machine.ts";
import { Violation } from "./promises.ts";
import type { Checks } from "./promises.ts";

/** Contexts: two requests, and the instance itself, whose completions come first in every turn. */
export const REQUESTS = [0, 1] as const;
const INSTANCE = 2;
export const titleOf = (context: number): string => "AB"[context] ?? "the instance";

/** What a slot's state is made of, as in assembly/handler-table.ts; a free slot has none of it. */
const IN_FLIGHT = 1;
const CANCELLED = 2;

/** The same numbers are in test/guest/explorer/driven.ts. */
enum Action {
  Return,
  Submit,
  SubmitAtOnce,
  Cancel,
  Throw,
  ThrowWhileEncoding,
  // Not the guest's own:
  /** The platform warns that the CPU limit is near, so the next dispatch aborts. */
  Warn,
  /** Whoever is refused on this turn submits again each time, which ends in an abort. */
  Insist,
}

/** What every handler can choose, in this order; behind these come what some can, and cancels of what is in flight. */
const ACTIONS = [
  Action.Return,
  Action.Submit,
  Action.SubmitAtOnce,
  Action.Throw,
  Action.ThrowWhileEncoding,
  Action.Warn,
];
export const THROW = ACTIONS.indexOf(Action.Throw);

/** What no version has listed. */
const UNKNOWN_STATUS: Status = 12_345 as number;

/** Whose handler hears a completion: the accept's, that of a driven operation (1 and up), or none's. */
const ACCEPT = 0;
const NOBODY = 15;
const NEAR_LIMIT = 24;

/** What a parked operation and the one that crosses at once ask for; see driven.ts. */
const PARKED = { ms: 7, deadline: 9 };
const AT_ONCE_BYTES = 2048;

/** The handle that a success brings, and an event's exchange. Small, and unique among those that are open. */
const handleOf = (slot: number): number => 16 + slot;
const exchangeOf = (context: number): number => 1 + context;

/** Where a submission is. The first three exist only while a turn lasts. */
enum Stage {
  Prepared,
  Refused,
  Polled,
  /** The host works on it. */
  Admitted,
  /** Its final completion waits for a turn. */
  Queued,
}

/** One submission that the guest counts as in flight. */
interface Entry {
  slot: number;
  generation: number;
  identity: number;
  context: number;
  stage: Stage;
  /** A cancel has won. */
  cancelled: boolean;
  /** Its context is over. */
  reclaimed: boolean;
}

interface Completion {
  slot: number;
  generation: number;
  status: Status;
  flags: number;
  resource: number;
}

/** More than a turn of ours can take. */
const BUDGET = 64;
/** Submissions that are refused one after the other, before the guest must have given up. */
const INSISTENCE_MAX = 32;
/** Turns after which everything that was ended has been delivered. */
const TURNS_TO_END = 16;

/** Thrown by `abort` to end the call into the module. No Error, whose stack would cost more than the whole turn. */
const TRAP = { trap: true };

/** Halves of words that a packed host takes at most. */
const PACKED_HALVES = 24;
/** Tells a packed completion from the zeros behind the last. */
const PRESENT = 4;
export const PACKED_WORDS = PACKED_HALVES / 2;

export interface HostOptions {
  /** Operations in flight that the host admits, besides the accept. */
  capacity: number;
  /** What the handlers of one turn do together, at most. */
  actions: number;
  /** Each operation gets a handler of its own, which nothing but the library holds; garbage is collected all the time. */
  fresh: boolean;
}

export class Host {
  readonly entries: Entry[] = [];
  /** What waits for a turn, for each context. */
  readonly queues: Completion[][] = [[], [], []];
  /** The last turn ended by an abort, and no other has followed. */
  trapped = false;
  /** The CPU limit is near, and the guest has not noticed yet. */
  warned = false;

  /** Which of its possibilities a handler takes, one choice after the other, and how many it had. */
  choices: readonly number[] = [];
  readonly arities: number[] = [];
  /** Completions that a hostile host adds at the front and at the back of the next poll. */
  forging = false;
  /** Takes down what happens, in words. */
  log: ((line: string) => void) | undefined;

  // What lasts one turn.
  #context = INSTANCE;
  #budget = 0;
  #polled = false;
  readonly #batch: Completion[] = [];
  /** Completions of the batch whose dispatch is over or going on. */
  #cursor = 0;
  readonly #refused: Entry[] = [];
  #running: Entry | undefined;
  #inside = "";
  /** Identity of the handler whose submission is being made; NOBODY if none is. */
  #submitting = NOBODY;
  #subject: Entry | undefined;
  #probing = false;
  #actions = 0;
  #aborting = false;
  #insisting = false;
  #insistence = 0;
  /** Submissions of the handler that insists. */
  #submissions = 0;
  #stale = 0;
  /** Resources that the guest must close on this turn, and tokens whose Cancel it must submit. */
  readonly #closes: number[] = [];
  readonly #cancels: Entry[] = [];

  machine!: Machine;
  readonly #checks: Checks;
  readonly #capacity: number;
  readonly #actionsMax: number;
  readonly #fresh: boolean;

  constructor(checks: Checks, { capacity, actions, fresh }: HostOptions) {
    this.#checks = checks;
    this.#capacity = capacity;
    this.#actionsMax = actions;
    this.#fresh = fresh;
  }

  readonly imports = {
    proactor_v1: {
      submit: (at: number, count: number): number => {
        this.#enterImport("submit");
        const admitted = this.#submit(at, count);
        this.#inside = "";
        return admitted;
      },
      poll: (at: number, capacity: number): number => {
        this.#enterImport("poll");
        const count = this.#poll(at, capacity);
        this.#inside = "";
        return count;
      },
      abort: (message: number, messageBytes: number, file: number, fileBytes: number) =>
        this.#abort(message, messageBytes, file, fileBytes),
    },
    explorer: {
      next: () => this.#next(),
      subject: (half: number) => (half === 0 ? this.#subject!.slot : this.#subject!.generation),
      submitted: (slot: number, generation: number) => this.#submitted(slot, generation),
      cancelled: (first: number, again: number) => this.#cancelled(first, again),
      entered: (identity: number, at: number, inFlight: number, own: number) =>
        this.#entered(identity, at, inFlight, own),
      left: () => void (this.#running = undefined),
    },
  };

  // What the world does between turns.

  /** Whether an incoming event may come in this context. One at a time: more would wait just the same. */
  mayArrive(context: number): boolean {
    return this.#isListening() && this.queues[context]!.every(({ flags }) => !(flags & MORE));
  }

  arrive(context: number): void {
    const { slot, generation } = this.entries.find(({ identity }) => identity === ACCEPT)!;
    const resource = exchangeOf(context);
    this.queues[context]!.push({ slot, generation, status: Status.Ok, flags: MORE, resource });
    this.log?.(`a request comes in context ${titleOf(context)}`);
  }

  #isListening(): boolean {
    return this.entries.some(({ identity, stage }) => identity === ACCEPT && stage === Stage.Admitted);
  }

  /** The operations that the host works on, other than the accept. */
  working(): Entry[] {
    return this.entries.filter(({ identity, stage }) => identity !== ACCEPT && stage === Stage.Admitted);
  }

  /** Success brings a handle. */
  complete(entry: Entry, status: Status): void {
    this.#queue(entry, status, status === Status.Ok ? handleOf(entry.slot) : 0);
    this.log?.(`${nameOf(entry)} completes with ${Status[status]}`);
  }

  #queue(entry: Entry, status: Status, resource = 0, flags = 0): void {
    const { slot, generation } = entry;
    entry.stage = Stage.Queued;
    const context = flags & RECLAIM ? INSTANCE : entry.context;
    this.queues[context]!.push({ slot, generation, status, flags, resource });
  }

  mayDie(context: number): boolean {
    return this.queues[context]!.length > 0 || this.entries.some((entry) => isOf(entry, context));
  }

  /** The platform ends a request: the guest hears of it by completions flagged RECLAIM. */
  kill(context: number): void {
    this.log?.(`the platform kills context ${titleOf(context)}`);
    this.#reclaim(context);
  }

  #reclaim(context: number): void {
    this.queues[context]!.length = 0;
    for (const entry of this.entries) {
      if (!isOf(entry, context)) continue;
      entry.reclaimed = true;
      this.#queue(entry, Status.ShutDown, 0, RECLAIM);
    }
  }

  /** How many completions a turn of this context could take. */
  due(context: number): number {
    return this.queues[context]!.length + this.queues[INSTANCE]!.length;
  }

  // A turn.

  /** Runs a turn. The handlers take `choices`, and return at once where these end. */
  turn(context: number, budget: number, choices: readonly number[]): void {
    this.choices = choices;
    this.arities.length = 0;
    this.#context = context;
    this.#budget = budget;
    this.#polled = false;
    this.#inside = "";
    this.#batch.length = 0;
    this.#cursor = 0;
    this.#refused.length = 0;
    this.#running = undefined;
    this.#submitting = NOBODY;
    this.#probing = false;
    this.#actions = 0;
    this.#aborting = false;
    this.#insisting = false;
    this.#insistence = 0;
    this.#stale = 0;
    this.#closes.length = 0;
    this.#cancels.length = 0;
    const hadTrapped = this.trapped;
    this.trapped = false;
    this.log?.(`context ${titleOf(context)} takes a turn with budget ${budget}`);
    let result: number;
    try {
      result = this.machine.exports.run(budget);
    } catch (error) {
      if (error === TRAP) return this.#trap(hadTrapped);
      if (error instanceof Violation) throw error;
      throw new Violation("G20", `the module broke: ${error}`);
    }
    this.#finish(result, hadTrapped);
  }

  #enterImport(name: string): void {
    if (this.#probing) throw new Violation("G7", "a cancel of a token that is over submits something");
    if (this.#budget === 0) return;
    this.#checks.that(this.#inside === "", "G2", () => `${name} was called inside ${this.#inside}`);
    this.#inside = name;
    const nested = this.machine.exports.run(1);
    this.#checks.that(nested === Status.Again, "G2", () => `a run inside ${name} answered ${nested}`);
  }

  #poll(at: number, capacity: number): number {
    this.machine.completionsAt = at;
    const within = !this.#polled && capacity <= this.#budget;
    this.#checks.that(within, "G11", () => `poll asked for ${capacity} of ${this.#budget}, or for more`);
    this.#polled = true;
    const genuine = this.forging ? this.#batch.push(...this.#forgeries()) : 0;
    for (let left = capacity; left > 0; left--) {
      const completion = this.queues[INSTANCE]!.shift() ?? this.queues[this.#context]!.shift();
      if (!completion) break;
      this.#batch.push(completion);
      const entry = this.#find(completion);
      if (entry && !(completion.flags & MORE)) entry.stage = Stage.Polled;
    }
    if (this.forging) this.#batch.push(...this.#duplicates(genuine));
    this.#batch.forEach((completion, index) => this.#write(completion, at + index * COMPLETION_BYTES));
    return this.#batch.length;
  }

  #write({ slot, generation, status, flags, resource }: Completion, at: number): void {
    const { words } = this.machine;
    words[(at + COMPLETION_TOKEN_SLOT) >>> 2] = slot;
    words[(at + COMPLETION_TOKEN_GENERATION) >>> 2] = generation;
    words[(at + COMPLETION_STATUS) >>> 2] = status;
    words[(at + COMPLETION_FLAGS) >>> 2] = flags;
    words[(at + COMPLETION_RESOURCE) >>> 2] = resource;
    // The library passes these on and looks at none; the handler must get them as they are.
    words[(at + COMPLETION_PAYLOAD) >>> 2] = 8;
    words[(at + COMPLETION_PAYLOAD_BYTES) >>> 2] = slot;
    words[(at + COMPLETION_AUXILIARY) >>> 2] = slot;
  }

  /** Completions for tokens that are not live: of earlier and later users of each slot, of free slots, of no slot. */
  #forgeries(): Completion[] {
    const { machine } = this;
    const tokens: [slot: number, generation: number][] = [
      [0, 0],
      [0, 1],
      [machine.lastSlot + 1, 1],
      [-1, -1],
    ];
    for (let slot = 1; slot <= machine.lastSlot; slot++) {
      const generation = machine.generationOf(slot);
      tokens.push([slot, 0], [slot, generation - 1], [slot, generation + 1], [slot, -1]);
      if (machine.stateOf(slot) === 0) tokens.push([slot, generation]);
    }
    const flags = [0, MORE, RECLAIM, -1];
    return tokens.map(([slot, generation], index) => {
      return {
        slot,
        generation,
        status: index % 2 ? Status.Ok : UNKNOWN_STATUS,
        flags: flags[index % 4]!,
        resource: 0,
      };
    });
  }

  /** What came comes again: all but the accept's events, whose copies would be other events. */
  #duplicates(from: number): Completion[] {
    const final = this.#batch.slice(from).filter(({ flags }) => !(flags & MORE));
    return final.map(({ slot, generation, status, flags }) => ({ slot, generation, status, flags, resource: 0 }));
  }

  // Handlers.

  /** Passes over completions that call nobody, as the guest must, to the next one that calls a handler. */
  #due(): Entry | undefined {
    for (; this.#cursor < this.#batch.length; this.#cursor++) {
      const completion = this.#batch[this.#cursor]!;
      const entry = this.#find(completion);
      if (!entry) {
        this.#stale++;
        if (completion.resource) this.#closes.push(completion.resource);
      } else if (completion.flags & RECLAIM || entry.identity === NOBODY) {
        this.#remove(entry);
      } else {
        return entry;
      }
    }
    return undefined;
  }

  /** The same for those that were refused, which come after the batch. */
  #dueRefusal(): Entry | undefined {
    while (this.#refused[0]?.identity === NOBODY) this.#remove(this.#refused.shift()!);
    return this.#refused[0];
  }

  #entered(identity: number, at: number, inFlight: number, own: number): void {
    const checks = this.#checks;
    checks.that(this.#inside === "" && this.#submitting === NOBODY, "G1", () => `handler ${identity} started inside`);
    checks.that(!this.#running, "G2", () => `handler ${identity} started inside handler ${this.#running?.identity}`);
    const due = this.#due();
    const completion = due && this.#batch[this.#cursor];
    const entry = due ?? this.#dueRefusal();
    if (!entry) throw new Violation("G3", `handler ${identity} was called, and nothing was due`);
    const record = this.machine.completionsAt + (completion ? this.#cursor * COMPLETION_BYTES : 0);
    checks.that(at === record, "G10", () => `handler ${identity} was called when ${nameOf(entry)} was due`);
    checks.that(identity === entry.identity, "G3", () => `handler ${identity} was called for ${nameOf(entry)}`);
    if (completion) this.#cursor++;
    else this.#refused.shift();
    this.#checkCompletion(at, entry, completion);
    this.#running = entry;
    this.#submissions = 0;
    if (completion && completion.flags & MORE) return this.log?.(`  the accept's handler starts`);
    this.#remove(entry);
    this.log?.(`  the handler of ${nameOf(entry)} starts`);
    checks.that(own === CancelResult.TooLate, "G6", () => `a cancel of itself answered ${CancelResult[own]}`);
    const counted = this.entries.length + this.#closes.length + this.#cancels.length;
    checks.that(inFlight === counted, "G6", () => `${inFlight} are in flight, not ${counted}`);
  }

  /** The completion as the handler sees it: as it was queued, or Again, or Cancelled and nothing else. */
  #checkCompletion(at: number, entry: Entry, completion: Completion | undefined): void {
    const { words } = this.machine;
    const word = (offset: number): number => words[(at + offset) >>> 2]!;
    const { slot, generation, cancelled } = entry;
    const isToken = word(COMPLETION_TOKEN_SLOT) === slot && word(COMPLETION_TOKEN_GENERATION) === generation;
    this.#checks.that(isToken, "G3", () => `${nameOf(entry)} was told another token`);
    const status = cancelled ? Status.Cancelled : (completion?.status ?? Status.Again);
    const resource = cancelled ? 0 : (completion?.resource ?? 0);
    const rest = cancelled || !completion ? 0 : slot;
    const promised = status === Status.TimedOut ? "G12" : completion ? "G7" : "G4";
    const see = (field: string, offset: number, expected: number): void => {
      const message = (): string => `${nameOf(entry)} saw the ${field} ${word(offset)}, not ${expected}`;
      this.#checks.that(word(offset) === expected, promised, message);
    };
    see("status", COMPLETION_STATUS, status);
    see("resource", COMPLETION_RESOURCE, resource);
    see("payload", COMPLETION_PAYLOAD_BYTES, rest);
    see("auxiliary value", COMPLETION_AUXILIARY, rest);
    const flags = (completion?.flags ?? 0) | DISPATCHED;
    this.#checks.that(word(COMPLETION_FLAGS) === flags, "G9", () => `the record of ${nameOf(entry)} is not marked`);
    if (cancelled && completion?.resource) this.#closes.push(completion.resource);
    if (this.warned && completion) throw new Violation("G9", "the CPU limit is near, and the turn went on");
  }

  /** What a handler does next. */
  #next(): number {
    if (this.#insisting) return this.#insist();
    const victims = this.entries.filter(({ identity, cancelled }) => identity !== NOBODY && !cancelled);
    const actions = [...ACTIONS];
    if (this.#running!.stage === Stage.Refused) actions.push(Action.Insist);
    if (this.#actions === this.#actionsMax) return Action.Return;
    const choice = this.#choose(actions.length + victims.length);
    const action = actions[choice] ?? Action.Cancel;
    this.#subject = victims[choice - actions.length];
    this.log?.(`    ${Action[action]}${this.#subject ? ` ${nameOf(this.#subject)}` : ""}`);
    if (action === Action.Return) return action;
    this.#actions++;
    if (action === Action.Warn) return this.#warn();
    if (action === Action.Insist) return this.#insist();
    if (action === Action.Throw || action === Action.ThrowWhileEncoding) this.#aborting = true;
    if (action === Action.Cancel || action === Action.Throw) return action;
    this.#submitting = this.#freeIdentity();
    return action | (this.#submitting << 8);
  }

  #choose(arity: number): number {
    this.arities.push(arity);
    return this.choices[this.arities.length - 1] ?? 0;
  }

  #warn(): number {
    this.warned = true;
    this.machine.words[(this.machine.exports.__instance_signal.value as number) >>> 2] = NEAR_LIMIT;
    return this.#next();
  }

  /** Each refused handler submits once. The host stays full, so the guest must put an end to it. */
  #insist(): number {
    this.#aborting = this.#insisting = true;
    if (this.#submissions++ > 0) return Action.Return;
    if (this.#insistence++ > INSISTENCE_MAX) throw new Violation("G11", "refused handlers go on for ever");
    this.#submitting = this.#freeIdentity();
    return Action.Submit | (this.#submitting << 8);
  }

  #freeIdentity(): number {
    for (let identity = 1; ; identity++) {
      if (this.entries.every((entry) => entry.identity !== identity)) return identity;
    }
  }

  #submitted(slot: number, generation: number): void {
    // Already known if it crossed the border at once.
    if (!this.#find({ slot, generation })) this.#prepared(slot, generation, this.#submitting);
    this.#submitting = NOBODY;
  }

  #prepared(slot: number, generation: number, identity: number): Entry {
    const isNew = generation !== 0 && slot > 0 && this.entries.every((entry) => entry.slot !== slot);
    this.#checks.that(isNew, "G3", () => `slot ${slot} was given out twice`);
    const stage = Stage.Prepared;
    const context = identity === ACCEPT ? INSTANCE : this.#context;
    const entry = { slot, generation, identity, context, stage, cancelled: false, reclaimed: false };
    this.entries.push(entry);
    return entry;
  }

  #cancelled(first: number, again: number): void {
    const victim = this.#subject!;
    const isWon = first === CancelResult.Won && again === CancelResult.Won;
    this.#checks.that(isWon, "G7", () => `a cancel of ${nameOf(victim)} answered ${CancelResult[first]}`);
    victim.cancelled = true;
    this.#cancels.push(victim);
  }

  // submit

  #submit(at: number, count: number): number {
    if (this.machine.submissionsAt === 0) this.machine.submissionsAt = at;
    // Between two handlers: what the last completions asked for counts already.
    if (!this.#running) this.#due();
    for (let index = 0; index < count; index++) {
      const word = (offset: number): number => this.machine.words[(at + index * SUBMISSION_BYTES + offset) >>> 2]!;
      const entry = this.#identify(word);
      if (!this.#admit(entry, word)) {
        this.#refused.push(entry);
        entry.stage = Stage.Refused;
        this.log?.(`      the host refuses ${nameOf(entry)}`);
        return index;
      }
      this.log?.(`      the host admits ${nameOf(entry)}`);
    }
    return count;
  }

  /** Finds the entry of a record, and checks that the record says what was asked for and nothing else. */
  #identify(word: (offset: number) => number): Entry {
    const [slot, generation] = [word(SUBMISSION_TOKEN_SLOT), word(SUBMISSION_TOKEN_GENERATION)];
    const opcode = word(SUBMISSION_OPCODE) & 0xffff;
    const flags = word(SUBMISSION_OPCODE) >>> 16;
    const argument = word(SUBMISSION_ARGUMENT_0);
    const resource = word(SUBMISSION_RESOURCE);
    let identity = NOBODY;
    let expected = { resource: 0, deadline: 0, data: 0, argument: 0, next: 0, flags: DETACHED };
    if (opcode === Opcode.Cancel) {
      const victim = take(this.#cancels, (cancelled) => cancelled.slot === argument);
      if (!victim) throw new Violation("G7", `a Cancel of slot ${argument} is submitted, and no cancel has won`);
      expected = { ...expected, argument: victim.slot, next: victim.generation };
    } else if (opcode === Opcode.Close) {
      const promised = take(this.#closes, (handle) => handle === resource);
      if (promised === undefined) throw new Violation("G8", `handle ${resource} is closed, and nobody gave it up`);
      expected = { ...expected, resource };
    } else {
      identity = this.#find({ slot, generation })?.identity ?? this.#submitting;
      expected.flags = 0;
      if (opcode === Opcode.Timer) expected = { ...expected, argument: PARKED.ms, deadline: PARKED.deadline };
      else if (opcode === Opcode.Noop) expected.data = AT_ONCE_BYTES;
      else if (opcode === Opcode.Accept) expected = { ...expected, argument: EventKind.Fetch, flags: ACCEPT_HEADERS };
    }
    const isAsked =
      flags === expected.flags &&
      resource === expected.resource &&
      word(SUBMISSION_DEADLINE_MS) === expected.deadline &&
      word(SUBMISSION_DATA_BYTES) === expected.data &&
      argument === expected.argument &&
      word(SUBMISSION_ARGUMENT_1) === expected.next;
    const unused = [
      SUBMISSION_NAME,
      SUBMISSION_NAME_BYTES,
      SUBMISSION_META,
      SUBMISSION_META_BYTES,
      SUBMISSION_ARGUMENT_2,
      SUBMISSION_ARGUMENT_3,
      SUBMISSION_RESERVED,
    ];
    const isBlank = unused.every((offset) => word(offset) === 0);
    this.#checks.that(isAsked && isBlank, "G5", () => `the submission of ${Opcode[opcode]} says something else`);
    return this.#find({ slot, generation }) ?? this.#prepared(slot, generation, identity);
  }

  /** False, and nothing has changed, if the host is full and the submission makes no room. */
  #admit(entry: Entry, word: (offset: number) => number): boolean {
    const opcode = word(SUBMISSION_OPCODE) & 0xffff;
    if (opcode === Opcode.Accept) {
      entry.identity = ACCEPT;
      entry.context = INSTANCE;
    }
    const victim = opcode === Opcode.Cancel ? this.#victim(word) : undefined;
    const makesRoom = victim !== undefined || opcode === Opcode.Close || opcode === Opcode.Accept;
    if (this.#isFull() && !makesRoom) return false;
    entry.stage = Stage.Admitted;
    if (victim) this.#queue(victim, Status.Cancelled);
    if (opcode === Opcode.Cancel || opcode === Opcode.Close) this.#queue(entry, Status.Ok);
    return true;
  }

  /** What a Cancel ends: an operation of the same context, or the accept, if the host works on it. */
  #victim(word: (offset: number) => number): Entry | undefined {
    const entry = this.#find({ slot: word(SUBMISSION_ARGUMENT_0), generation: word(SUBMISSION_ARGUMENT_1) });
    const isHere = entry && (entry.context === this.#context || entry.context === INSTANCE);
    return isHere && entry.stage === Stage.Admitted ? entry : undefined;
  }

  /** The accept does not count, so that a capacity of 1 leaves room for one operation. */
  #isFull(): boolean {
    const isAdmitted = ({ stage, identity }: Entry): boolean => stage >= Stage.Admitted && identity !== ACCEPT;
    return this.entries.filter(isAdmitted).length >= this.#capacity;
  }

  // The end of a turn.

  #finish(result: number, hadTrapped: boolean): void {
    const { machine } = this;
    const checks = this.#checks;
    const due = this.#due() ?? this.#dueRefusal();
    checks.that(!due, "G3", () => `${nameOf(due!)} was polled or refused, and its handler was not called`);
    const unsent = this.entries.find(({ stage }) => stage < Stage.Admitted);
    checks.that(!unsent, "G3", () => `${nameOf(unsent!)} was never handed over`);
    checks.that(this.#closes.length === 0, "G8", () => `handle ${this.#closes[0]} was not closed`);
    checks.that(this.#cancels.length === 0, "G7", () => `no Cancel was submitted for ${nameOf(this.#cancels[0]!)}`);
    const taken = this.#budget > 0 ? this.#batch.length : Status.Invalid;
    checks.that(result === taken, "G11", () => `run answered ${result}, not ${taken}`);
    const { stackPointer, stackBase } = machine;
    checks.that(stackPointer === stackBase, "G9", () => `the shadow stack is ${stackBase - stackPointer} too deep`);
    // A turn after a trap may count what the other one left, too.
    const stale = machine.exports.staleCount();
    const isCounted = hadTrapped ? stale >= this.#stale : stale === this.#stale;
    checks.that(isCounted, "G20", () => `${stale} completions were stale, not ${this.#stale}`);
    this.checkTable(hadTrapped ? "G9" : "G4");
    this.#normalise(hadTrapped);
  }

  /** The handler table against the entries: the same slots, each with its state; the others free, each once. */
  checkTable(promised: "G4" | "G9"): void {
    const { machine } = this;
    const fail = (message: string): never => {
      throw new Violation(promised, message);
    };
    for (const { slot, generation, cancelled } of this.entries) {
      // Refused ones have heard of it by now.
      if (machine.stateOf(slot) !== (cancelled ? IN_FLIGHT | CANCELLED : IN_FLIGHT))
        fail(`slot ${slot} is in state ${machine.stateOf(slot)}`);
      if (machine.generationOf(slot) !== generation) fail(`slot ${slot} has another generation than its operation`);
    }
    let free = 0;
    for (let slot = machine.firstFree; slot !== 0; slot = machine.nextOf(slot)) {
      if (machine.stateOf(slot) !== 0) fail(`slot ${slot} is in the free list and in state ${machine.stateOf(slot)}`);
      if (machine.handlerOf(slot) !== 0) fail(`slot ${slot} is free and holds a handler`);
      if (++free > machine.lastSlot) fail("the free list has a loop");
    }
    const [inFlight, used] = [machine.exports.inFlightCount(), machine.lastSlot - free];
    const isEqual = inFlight === this.entries.length && used === inFlight;
    this.#checks.that(isEqual, promised, () => {
      return `${this.entries.length} operations, but the guest counts ${inFlight}, and ${used} slots are not free`;
    });
  }

  #abort(message: number, messageBytes: number, file: number, fileBytes: number): never {
    // The guest only ever writes these texts: they are as if they had never been.
    const bytes = new Uint8Array(this.machine.words.buffer);
    bytes.fill(0, message, message + messageBytes).fill(0, file, file + fileBytes);
    const isTold = this.#aborting || this.warned;
    this.#checks.that(isTold, "G9", () => "the guest aborted by itself");
    throw TRAP;
  }

  /** The context ends with the abort. What the turn left behind, the guest takes back when it is called again. */
  #trap(hadTrapped: boolean): void {
    this.log?.(`  the guest aborts, and context ${titleOf(this.#context)} ends`);
    if (!this.#aborting) this.warned = false;
    this.trapped = true;
    this.#inside = "";
    for (const entry of this.entries.filter(({ stage }) => stage < Stage.Admitted)) this.#remove(entry);
    this.#reclaim(this.#context);
    this.#normalise(hadTrapped);
  }

  /** Old generations are made equal here as in the machine. */
  #normalise(hadTrapped: boolean): void {
    const { machine } = this;
    for (const completion of this.queues.flat()) {
      const current = machine.generationOf(completion.slot);
      completion.generation = Math.min(current, 2) - (completion.generation === current ? 0 : 1);
    }
    for (const entry of this.entries) entry.generation = Math.min(entry.generation, 2);
    // A refusal uses a record, too; a trap leaves records behind.
    if (this.#fresh && !this.trapped) machine.collect();
    machine.normalise(this.trapped, hadTrapped ? RECORDS : Math.max(this.#batch.length, 1));
  }

  /** Ends everything at once, as a shutdown does, and takes turns until nothing is left. */
  shutDown(): void {
    for (const entry of this.entries) if (entry.stage === Stage.Admitted) this.#queue(entry, Status.ShutDown);
    for (let turns = 0; this.due(0) + this.due(1) > 0; turns++) {
      if (turns > TURNS_TO_END) throw new Violation("G13", "what was ended goes on and on");
      this.turn(this.due(0) > 0 ? 0 : 1, BUDGET, []);
    }
    if (this.trapped) this.turn(0, 0, []);
    this.#checks.that(this.entries.length === 0, "G13", () => `${nameOf(this.entries[0]!)} is left`);
    this.checkTable("G4");
  }

  /** Cancels by tokens that are not live: of earlier and later users of each slot, and of none. They change nothing. */
  probe(): void {
    const { machine } = this;
    this.#probing = true;
    const ask = (slot: number, generation: number, expected: CancelResult): void => {
      const result = machine.exports.probe(slot, generation);
      this.#checks.that(result === expected, "G7", () => {
        return `a cancel of slot ${slot}, generation ${generation} answered ${CancelResult[result]}`;
      });
    };
    ask(0, 1, CancelResult.Unknown);
    ask(machine.lastSlot + 1, 1, CancelResult.Unknown);
    ask(-1, -1, CancelResult.Unknown);
    for (let slot = 1; slot <= machine.lastSlot; slot++) {
      const generation = machine.generationOf(slot);
      ask(slot, 0, CancelResult.Unknown);
      if (generation > 1) ask(slot, generation - 1, CancelResult.TooLate);
      if (machine.stateOf(slot) === 0) ask(slot, generation, CancelResult.Unknown);
      ask(slot, generation + 1, CancelResult.Unknown);
    }
    this.#probing = false;
  }

  // The state, packed: 16 bits for each entry and each completion that waits, behind 16 that say how many.

  pack(words: Int32Array, at: number): void {
    words.fill(0, at, at + PACKED_WORDS);
    let half = 0;
    const put = (value: number): void => {
      if (half === PACKED_HALVES) throw new Error("PACKED_HALVES is too small for this state");
      words[at + (half >> 1)]! |= value << ((half++ & 1) * 16);
    };
    put(Number(this.trapped) | (Number(this.warned) << 1) | (this.entries.length << 2));
    // In the order of their slots: the order in which they were submitted is over.
    this.entries.sort((left, right) => left.slot - right.slot);
    for (const { slot, identity, context, stage, cancelled, reclaimed } of this.entries) {
      const bits = Number(stage === Stage.Queued) | (Number(cancelled) << 1) | (Number(reclaimed) << 2);
      put(slot | (identity << 4) | (context << 8) | (bits << 10));
    }
    this.queues.forEach((queue, context) => {
      for (const { slot, generation, status, flags, resource } of queue) {
        const isStale = generation !== this.machine.generationOf(slot);
        const bits = Number(isStale) | (Number(resource !== 0) << 1) | PRESENT;
        put(slot | (context << 4) | (-status << 6) | (flags << 10) | (bits << 12));
      }
    });
  }

  /** The machine must have been restored: live tokens have the generation of their slot. */
  unpack(words: Int32Array, at: number): void {
    let half = 0;
    const get = (): number => {
      return half === PACKED_HALVES ? 0 : (words[at + (half >> 1)]! >>> ((half++ & 1) * 16)) & 0xffff;
    };
    const head = get();
    this.trapped = (head & 1) !== 0;
    this.warned = (head & 2) !== 0;
    this.entries.length = head >>> 2;
    for (let index = 0; index < this.entries.length; index++) {
      const packed = get();
      const slot = packed & 15;
      this.entries[index] = {
        slot,
        generation: this.machine.generationOf(slot),
        identity: (packed >>> 4) & 15,
        context: (packed >>> 8) & 3,
        stage: packed & (1 << 10) ? Stage.Queued : Stage.Admitted,
        cancelled: (packed & (1 << 11)) !== 0,
        reclaimed: (packed & (1 << 12)) !== 0,
      };
    }
    for (const queue of this.queues) queue.length = 0;
    for (let packed = get(); packed !== 0; packed = get()) {
      const [slot, context] = [packed & 15, (packed >>> 4) & 3];
      const flags = (packed >>> 10) & 3;
      const [isStale, hasResource] = [(packed >>> 12) & 1, packed & (1 << 13)];
      const resource = flags & MORE ? exchangeOf(context) : handleOf(slot);
      this.queues[context]!.push({
        slot,
        generation: this.machine.generationOf(slot) - isStale,
        status: -((packed >>> 6) & 15),
        flags,
        resource: hasResource ? resource : 0,
      });
    }
  }

  // Entries.

  #find({ slot, generation }: { slot: number; generation: number }): Entry | undefined {
    return this.entries.find((entry) => entry.slot === slot && entry.generation === generation);
  }

  #remove(entry: Entry): void {
    this.entries.splice(this.entries.indexOf(entry), 1);
  }
}

const isOf = (entry: Entry, context: number): boolean =>
  entry.context === context && entry.stage >= Stage.Admitted && !entry.reclaimed;

function nameOf({ slot, identity }: Entry): string {
  if (identity === ACCEPT) return "the accept";
  return identity === NOBODY ? `what nobody hears (slot ${slot})` : `operation ${identity} (slot ${slot})`;
}

/** Takes the first item that fits out of the list. */
function take<T>(items: T[], fits: (item: T) => boolean): T | undefined {
  const index = items.findIndex(fits);
  return index < 0 ? undefined : items.splice(index, 1)[0];
}
