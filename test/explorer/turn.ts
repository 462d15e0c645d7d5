// Turn: the host's half of one call of `run`, which at every call of the guest knows what the guest must do next.
//
// It admits, completes and refuses as docs/contract.md says, and checks each step of the guest against the entries.

import {
  COMPLETION_AUXILIARY,
  COMPLETION_BYTES,
  COMPLETION_FLAGS,
  COMPLETION_PAYLOAD_BYTES,
  COMPLETION_RESOURCE,
  COMPLETION_STATUS,
  COMPLETION_TOKEN_GENERATION,
  COMPLETION_TOKEN_SLOT,
  CancelResult,
  DISPATCHED,
  MORE,
  Opcode,
  RECLAIM,
  SUBMISSION_BYTES,
  Status,
} from "../../assembly/abi.ts";
import { Action } from "./choices.ts";
import type { Choices } from "./choices.ts";
import type { Machine } from "./machine.ts";
import { Violation } from "./promises.ts";
import type { Checks } from "./promises.ts";
import { Submission, duplicates, forgeries, writeCompletion } from "./records.ts";
import { ACCEPT, INSTANCE, NOBODY, Stage, nameOf } from "./state.ts";
import type { Completion, Entry, State, Token } from "./state.ts";

const NEAR_LIMIT = 24;

export interface TurnOptions {
  context: number;
  /** 0 for a call that dispatches nothing. */
  budget: number;
  /** Operations that the host admits, besides the accept. */
  capacity: number;
  choices: Choices;
  /** Whether a hostile host adds completions at the front and at the back of what is polled. */
  forging: boolean;
}

export class Turn {
  readonly batch: Completion[] = [];
  readonly #machine: Machine;
  readonly #state: State;
  readonly #checks: Checks;
  readonly #options: TurnOptions;
  #polled = false;
  /** Completions of the batch whose dispatch is over or going on. */
  #cursor = 0;
  readonly #refused: Entry[] = [];
  #running: Entry | undefined;
  #inside = "";
  /** Identity of the handler whose submission is being made. */
  #submitting = NOBODY;
  #stale = 0;
  /** Resources that the guest must close on this turn, and operations whose Cancel it must submit. */
  readonly #closes: number[] = [];
  readonly #cancels: Token[] = [];

  constructor(machine: Machine, state: State, checks: Checks, options: TurnOptions) {
    this.#machine = machine;
    this.#state = state;
    this.#checks = checks;
    this.#options = options;
  }

  // Imports.

  /** Begins an import. While it lasts, a call of `run` must be refused. */
  enterImport(name: string): void {
    this.#checks.that(this.#inside === "", "G2", () => `${name} was called inside ${this.#inside}`);
    this.#inside = name;
    const nested = this.#machine.exports.run(1);
    this.#checks.that(nested === Status.Again, "G2", () => `a run inside ${name} answered ${nested}`);
  }

  leaveImport(): void {
    this.#inside = "";
  }

  poll(at: number, capacity: number): number {
    const { context, budget, forging } = this.#options;
    const isWithin = !this.#polled && capacity <= budget;
    this.#checks.that(isWithin, "G11", () => `poll asked for ${capacity} of ${budget}, or once more`);
    this.#polled = true;
    const genuine: Completion[] = [];
    while (genuine.length < capacity) {
      const completion = this.#state.take(context);
      if (!completion) break;
      genuine.push(completion);
      const entry = this.#state.find(completion);
      if (entry && !(completion.flags & MORE)) entry.stage = Stage.Polled;
    }
    if (forging) this.batch.push(...forgeries(this.#machine), ...genuine, ...duplicates(genuine));
    else this.batch.push(...genuine);
    if (this.batch.length > capacity) throw new Error("RECORDS is too small for what is forged");
    for (const [index, completion] of this.batch.entries()) {
      writeCompletion(this.#machine.words, at + index * COMPLETION_BYTES, completion);
    }
    return this.batch.length;
  }

  submit(at: number, count: number): number {
    // Between two handlers: what the last completions asked for counts already.
    if (!this.#running) this.#due();
    for (let index = 0; index < count; index++) {
      const submission = new Submission(this.#machine.words, at + index * SUBMISSION_BYTES);
      const entry = this.#entryOf(submission);
      const isAdmitted = this.#admit(entry, submission);
      this.#state.log?.(`      the host ${isAdmitted ? "admits" : "refuses"} ${nameOf(entry)}`);
      if (isAdmitted) continue;
      entry.stage = Stage.Refused;
      this.#refused.push(entry);
      return index;
    }
    return count;
  }

  /** The entry of a submission, which must be one that was asked for. */
  #entryOf(submission: Submission): Entry {
    const { opcode, resource, victim } = submission;
    let identity = NOBODY;
    if (opcode === Opcode.Cancel) {
      const isWon = take(
        this.#cancels,
        ({ slot, generation }) => slot === victim.slot && generation === victim.generation,
      );
      if (!isWon) throw new Violation("G7", `a Cancel of slot ${victim.slot} is submitted, and no cancel has won`);
    } else if (opcode === Opcode.Close) {
      const isGivenUp = take(this.#closes, (handle) => handle === resource);
      if (!isGivenUp) throw new Violation("G8", `handle ${resource} is closed, and nobody gave it up`);
    } else {
      identity = opcode === Opcode.Accept ? ACCEPT : this.#submitting;
    }
    const isAsked = submission.isAsFor(resource, victim);
    this.#checks.that(isAsked, "G5", () => `the submission of ${Opcode[opcode]} says something else`);
    return this.#state.find(submission) ?? this.#prepared(submission, identity);
  }

  /** False, and nothing has changed, if the host is full and the submission makes no room. */
  #admit(entry: Entry, { opcode, victim: token }: Submission): boolean {
    const victim = opcode === Opcode.Cancel ? this.#victim(token) : undefined;
    const makesRoom = victim !== undefined || opcode === Opcode.Close || opcode === Opcode.Accept;
    if (!makesRoom && this.#state.admitted() >= this.#options.capacity) return false;
    entry.stage = Stage.Admitted;
    if (victim) this.#state.queue(victim, Status.Cancelled);
    if (opcode === Opcode.Cancel || opcode === Opcode.Close) this.#state.queue(entry, Status.Ok);
    return true;
  }

  /** What a Cancel ends: an operation of the same context, or the accept, if the host works on it. */
  #victim(token: Token): Entry | undefined {
    const entry = this.#state.find(token);
    const isHere = entry?.context === this.#options.context || entry?.context === INSTANCE;
    return isHere && entry?.stage === Stage.Admitted ? entry : undefined;
  }

  #prepared({ slot, generation }: Token, identity: number): Entry {
    const context = identity === ACCEPT ? INSTANCE : this.#options.context;
    const stage = Stage.Prepared;
    const entry: Entry = { slot, generation, identity, context, stage, cancelled: false, reclaimed: false };
    const isNew = generation !== 0 && slot > 0 && this.#state.add(entry);
    this.#checks.that(isNew, "G3", () => `slot ${slot} was given out twice`);
    return entry;
  }

  // Handlers.

  /** Passes over completions that call nobody, as the guest must, to the next one that calls a handler. */
  #due(): Entry | undefined {
    for (; this.#cursor < this.batch.length; this.#cursor++) {
      const completion = this.batch[this.#cursor]!;
      const entry = this.#state.find(completion);
      if (!entry) {
        this.#stale++;
        if (completion.resource) this.#closes.push(completion.resource);
      } else if (completion.flags & RECLAIM || entry.identity === NOBODY) {
        this.#state.remove(entry);
      } else {
        return entry;
      }
    }
    return undefined;
  }

  /** The same for those that were refused, which come after the batch. */
  #dueRefusal(): Entry | undefined {
    while (this.#refused[0]?.identity === NOBODY) this.#state.remove(this.#refused.shift()!);
    return this.#refused[0];
  }

  entered(identity: number, at: number, inFlight: number, own: number): void {
    const checks = this.#checks;
    const isOutside = this.#inside === "" && this.#submitting === NOBODY;
    checks.that(isOutside, "G1", () => `handler ${identity} started inside ${this.#inside || "a submission"}`);
    checks.that(!this.#running, "G2", () => `handler ${identity} started inside that of ${nameOf(this.#running!)}`);
    const due = this.#due();
    const completion = due && this.batch[this.#cursor];
    const entry = due ?? this.#dueRefusal();
    if (!entry) throw new Violation("G3", `handler ${identity} was called, and nothing was due`);
    const record = this.#machine.completionsAt + (completion ? this.#cursor * COMPLETION_BYTES : 0);
    checks.that(at === record, "G10", () => `handler ${identity} was called when ${nameOf(entry)} was due`);
    checks.that(identity === entry.identity, "G3", () => `handler ${identity} was called for ${nameOf(entry)}`);
    if (completion) this.#cursor++;
    else this.#refused.shift();
    this.#checkCompletion(at, entry, completion);
    this.#running = entry;
    this.#state.log?.(`  the handler of ${nameOf(entry)} starts`);
    if (completion && completion.flags & MORE) return;
    this.#state.remove(entry);
    checks.that(own === CancelResult.TooLate, "G6", () => `a cancel of itself answered ${CancelResult[own]}`);
    const counted = this.#state.entries.length + this.#closes.length + this.#cancels.length;
    checks.that(inFlight === counted, "G6", () => `${inFlight} are in flight, not ${counted}`);
  }

  /** The completion as the handler sees it: as it was queued, or Again, or Cancelled and nothing else. */
  #checkCompletion(at: number, entry: Entry, completion: Completion | undefined): void {
    const word = (offset: number): number => this.#machine.words[(at + offset) >>> 2]!;
    const { slot, generation, cancelled } = entry;
    const isToken = word(COMPLETION_TOKEN_SLOT) === slot && word(COMPLETION_TOKEN_GENERATION) === generation;
    this.#checks.that(isToken, "G3", () => `${nameOf(entry)} was told another token`);
    const status = cancelled ? Status.Cancelled : (completion?.status ?? Status.Again);
    const rest = cancelled || !completion ? 0 : slot;
    const promised = status === Status.TimedOut ? "G12" : completion ? "G7" : "G4";
    const see = (field: string, offset: number, expected: number): void => {
      const message = (): string => `${nameOf(entry)} saw the ${field} ${word(offset)}, not ${expected}`;
      this.#checks.that(word(offset) === expected, promised, message);
    };
    see("status", COMPLETION_STATUS, status);
    see("resource", COMPLETION_RESOURCE, cancelled ? 0 : (completion?.resource ?? 0));
    see("payload", COMPLETION_PAYLOAD_BYTES, rest);
    see("auxiliary value", COMPLETION_AUXILIARY, rest);
    const flags = (completion?.flags ?? 0) | DISPATCHED;
    this.#checks.that(word(COMPLETION_FLAGS) === flags, "G9", () => `the record of ${nameOf(entry)} is not marked`);
    if (cancelled && completion?.resource) this.#closes.push(completion.resource);
    if (this.#state.warned && completion) throw new Violation("G9", "the CPU limit is near, and the turn went on");
  }

  /** What the handler does next, and the identity of the handler that it makes for it. */
  next(): number {
    const { choices } = this.#options;
    const action = choices.next(this.#running!);
    if (action === Action.Warn) {
      this.#state.warned = true;
      this.#machine.words[(this.#machine.exports.__instance_signal.value as number) >>> 2] = NEAR_LIMIT;
      return this.next();
    }
    if (action === Action.Return || action === Action.Cancel || action === Action.Throw) return action;
    this.#submitting = this.#state.freeIdentity();
    return action | (this.#submitting << 8);
  }

  submitted(token: Token): void {
    // Already known if it crossed the border at once.
    if (!this.#state.find(token)) this.#prepared(token, this.#submitting);
    this.#submitting = NOBODY;
  }

  cancelled(first: number, again: number): void {
    const victim = this.#options.choices.subject!;
    const isWon = first === CancelResult.Won && again === CancelResult.Won;
    this.#checks.that(isWon, "G7", () => `a cancel of ${nameOf(victim)} answered ${CancelResult[first]}`);
    victim.cancelled = true;
    this.#cancels.push(victim);
  }

  left(): void {
    this.#running = undefined;
  }

  // The end.

  /** The turn has returned: nothing that it had to do may be left. `hadTrapped`: the one before had not. */
  finish(result: number, hadTrapped: boolean): void {
    const checks = this.#checks;
    const due = this.#due() ?? this.#dueRefusal();
    checks.that(!due, "G3", () => `${nameOf(due!)} was polled or refused, and its handler was not called`);
    const unsent = this.#state.entries.find(({ stage }) => stage < Stage.Admitted);
    checks.that(!unsent, "G3", () => `${nameOf(unsent!)} was never handed over`);
    checks.that(this.#closes.length === 0, "G8", () => `handle ${this.#closes[0]} was not closed`);
    checks.that(this.#cancels.length === 0, "G7", () => `no Cancel of slot ${this.#cancels[0]!.slot} was submitted`);
    const taken = this.#options.budget > 0 ? this.batch.length : Status.Invalid;
    checks.that(result === taken, "G11", () => `run answered ${result}, not ${taken}`);
    const { stackPointer, stackBase } = this.#machine;
    checks.that(stackPointer === stackBase, "G9", () => `the shadow stack is ${stackBase - stackPointer} too deep`);
    // A turn after a trap may count what the other one left, too.
    const stale = this.#machine.exports.staleCount();
    const isCounted = hadTrapped ? stale >= this.#stale : stale === this.#stale;
    checks.that(isCounted, "G20", () => `${stale} completions were stale, not ${this.#stale}`);
  }

  /** The context ends with the abort. What the turn left behind, the guest takes back when it is called again. */
  trap(): void {
    const { entries } = this.#state;
    for (const entry of entries.filter(({ stage }) => stage < Stage.Admitted)) this.#state.remove(entry);
    this.#state.reclaim(this.#options.context);
  }
}

/** Takes the first item that fits out of the list. */
function take<T>(items: T[], fits: (item: T) => boolean): T | undefined {
  const index = items.findIndex(fits);
  return index < 0 ? undefined : items.splice(index, 1)[0];
}
