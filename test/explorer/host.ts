// Host: the imports of the module, and the only place that calls its exports for the explorer.

import { Status } from "../../assembly/abi.ts";
import { Choices } from "./choices.ts";
import { RECORDS } from "./machine.ts";
import type { Machine } from "./machine.ts";
import { Violation } from "./promises.ts";
import type { Checks } from "./promises.ts";
import { INSTANCE, Stage, State, nameOf, titleOf } from "./state.ts";
import { checkDeadTokens, checkTable } from "./table.ts";
import { Turn } from "./turn.ts";

export interface HostOptions {
  /** Operations in flight that the host admits, besides the accept. */
  capacity: number;
  /** What the handlers of one turn do together, at most. */
  actions: number;
  /** Each operation gets a handler of its own, which nothing but the library holds; garbage is collected all the time. */
  fresh: boolean;
}

/** More than a turn of ours can take. */
const BUDGET = 64;
/** Turns after which everything that was ended has been delivered. */
const TURNS_TO_END = 16;

/** Thrown by `abort` to end the call into the module. No Error, whose stack would cost more than the whole turn. */
const TRAP = { trap: true };

export class Host {
  readonly state = new State();
  machine!: Machine;
  readonly #checks: Checks;
  readonly #options: HostOptions;
  #choices: Choices;
  #turn!: Turn;
  #isRunning = false;
  #probing = false;

  constructor(checks: Checks, options: HostOptions) {
    this.#checks = checks;
    this.#options = options;
    this.#choices = new Choices(this.state, 0, []);
  }

  #begin(context: number, budget: number, forging: boolean): Turn {
    const { capacity } = this.#options;
    const options = { context, budget, capacity, choices: this.#choices, forging };
    return new Turn(this.machine, this.state, this.#checks, options);
  }

  readonly imports = {
    proactor_v1: {
      submit: (at: number, count: number): number => {
        if (this.machine.submissionsAt === 0) this.machine.submissionsAt = at;
        return this.#import("submit", at, count);
      },
      poll: (at: number, capacity: number): number => {
        this.machine.completionsAt = at;
        return this.#import("poll", at, capacity);
      },
      abort: (message: number, messageBytes: number, file: number, fileBytes: number): void => {
        // The guest only ever writes these texts: they are as if they had never been.
        const bytes = new Uint8Array(this.machine.words.buffer);
        bytes.fill(0, message, message + messageBytes).fill(0, file, file + fileBytes);
        const isTold = this.#choices.aborting || this.state.warned;
        this.#checks.that(isTold, "G9", () => "the guest aborted by itself");
        throw TRAP;
      },
    },
    explorer: {
      next: () => this.#turn.next(),
      subject: (half: number) => (half === 0 ? this.#choices.subject!.slot : this.#choices.subject!.generation),
      submitted: (slot: number, generation: number) => this.#turn.submitted({ slot, generation }),
      cancelled: (first: number, again: number) => this.#turn.cancelled(first, again),
      entered: (identity: number, at: number, inFlight: number, own: number) =>
        this.#turn.entered(identity, at, inFlight, own),
      left: () => this.#turn.left(),
    },
  };

  #import(name: "submit" | "poll", at: number, count: number): number {
    if (this.#probing) throw new Violation("G7", "a cancel of a token that is over submits something");
    if (!this.#isRunning) {
      this.machine.renew();
      return this.#turn[name](at, count);
    }
    this.#turn.enterImport(name);
    const result = this.#turn[name](at, count);
    this.#turn.leaveImport();
    return result;
  }

  /** Starts the module, whose submissions belong to the instance now. */
  initialize(machine: Machine, pages: number): void {
    this.machine = machine;
    this.#turn = this.#begin(INSTANCE, 0, false);
    machine.initialize(pages);
    if (this.#options.fresh) machine.exports.useFreshHandlers();
  }

  /** Runs a turn. Returns how many possibilities its handlers had, each time they took one of `choices`. */
  turn(context: number, budget: number, choices: readonly number[], forging = false): readonly number[] {
    const { state } = this;
    this.#choices = new Choices(state, this.#options.actions, choices);
    this.#turn = this.#begin(context, budget, forging);
    const hadTrapped = state.trapped;
    state.trapped = false;
    state.log?.(`context ${titleOf(context)} takes a turn with budget ${budget}`);
    const result = this.#run(budget);
    if (result === TRAP) {
      state.log?.(`  the guest aborts, and context ${titleOf(context)} ends`);
      if (!this.#choices.aborting) state.warned = false;
      state.trapped = true;
      this.#turn.trap();
    } else {
      this.#turn.finish(result as number, hadTrapped);
      checkTable(this.machine, state.entries, this.#checks, hadTrapped ? "G9" : "G4");
    }
    this.#normalise(hadTrapped);
    return this.#choices.arities;
  }

  #run(budget: number): number | typeof TRAP {
    this.#probing = false;
    this.#isRunning = true;
    try {
      return this.machine.exports.run(budget);
    } catch (error) {
      if (error === TRAP) return TRAP;
      if (error instanceof Violation) throw error;
      throw new Violation("G20", `the module broke: ${error}`);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Makes equal what makes no difference; see machine.ts. Old generations here as there. */
  #normalise(hadTrapped: boolean): void {
    const { machine, state } = this;
    for (const completion of state.queues.flat()) {
      const current = machine.generationOf(completion.slot);
      completion.generation = Math.min(current, 2) - (completion.generation === current ? 0 : 1);
    }
    for (const entry of state.entries) entry.generation = Math.min(entry.generation, 2);
    if (this.#options.fresh && !state.trapped) machine.collect();
    // A refusal uses a record, too; a trap leaves records behind.
    machine.normalise(state.trapped, hadTrapped ? RECORDS : Math.max(this.#turn.batch.length, 1));
  }

  /** Cancels by tokens that are not live. They must change nothing, so nothing may be submitted. */
  probe(): void {
    this.#probing = true;
    checkDeadTokens(this.machine, this.#checks);
    this.#probing = false;
  }

  /** Ends everything at once, as a shutdown does, and takes turns until nothing is left. */
  shutDown(): void {
    const { state } = this;
    for (const entry of state.entries) if (entry.stage === Stage.Admitted) state.queue(entry, Status.ShutDown);
    for (let turns = 0; state.due(0) + state.due(1) > 0; turns++) {
      if (turns > TURNS_TO_END) throw new Violation("G13", "what was ended goes on and on");
      this.turn(state.due(0) > 0 ? 0 : 1, BUDGET, []);
    }
    if (state.trapped) this.turn(0, 0, []);
    this.#checks.that(state.entries.length === 0, "G13", () => `${nameOf(state.entries[0]!)} is left`);
    checkTable(this.machine, state.entries, this.#checks, "G13");
  }
}
