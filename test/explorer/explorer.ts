// Explorer: tries every step from every state, breadth first, so that the first script that breaks a promise is one of
// the shortest.
//
// A state is that of the module (its memory and globals) and that of the host. A step is something that the world does
// (an event comes, an operation completes, a context is killed), or a turn with everything that its handlers choose.

import { Status } from "../../assembly/abi.ts";
import { THROW, successor } from "./choices.ts";
import type { HostOptions } from "./host.ts";
import { LayoutGrew, RECORDS } from "./machine.ts";
import type { Layout } from "./machine.ts";
import { PACKED_WORDS } from "./packing.ts";
import { Checks, Violation } from "./promises.ts";
import type { Promised } from "./promises.ts";
import { Rows } from "./rows.ts";
import { REQUESTS } from "./state.ts";
import type { Variant } from "./variant.ts";
import { Saved, World } from "./world.ts";

export interface ExploreOptions extends HostOptions {
  /** Steps from the start; all, if nothing else ends the exploration. */
  depth?: number;
  /** Distinct states after which none is expanded any more. */
  states?: number;
  /** Asked before a state is expanded. */
  goOn?: (progress: Report) => boolean;
}

export interface Report {
  readonly capacity: number;
  /** Distinct states, of guest and host together. */
  readonly states: number;
  /** Distinct states of the guest alone. */
  readonly guests: number;
  readonly transitions: number;
  /** Every state of at most so many steps is known. */
  readonly depth: number;
  /** No state is left that was not expanded: any longer script leads to one of these states, too. */
  readonly complete: boolean;
  readonly checks: Readonly<Record<Promised, number>>;
  readonly violation: { readonly message: string; readonly script: readonly string[] } | undefined;
}

/** What a turn is told. */
type Call = [context: number, budget: number];

const PAGES_GROWN = 1;

/** Explores a module. The result is the same every time, unless `goOn` ends it by the clock. */
export function explore(variant: Variant, options: ExploreOptions): Report {
  return new Explorer(variant, options).run();
}

class Explorer {
  readonly #options: ExploreOptions;
  readonly #checks = new Checks();
  readonly #layout: Layout = [];
  readonly #world: World;
  /** The same module with more memory, which must not make a difference. */
  readonly #grown: World;

  /** The guest's half of each state, and the states: the number of a guest's half, then the host's. */
  #guests = new Rows(0);
  #states = new Rows(1 + PACKED_WORDS);
  /** How each state was found first: from which one, and by which of its transitions. */
  readonly #parents: number[] = [];
  readonly #ordinals: number[] = [];
  #transitions = 0;
  #depth = 0;
  #violation: Report["violation"];

  /** The state that is being expanded, and which of its transitions is being taken. */
  #expanding = 0;
  #ordinal = 0;
  /** That state, the one to which the transition led, and those to which it led under other circumstances. */
  readonly #from = new Saved();
  readonly #to = new Saved();
  readonly #other = new Saved();
  readonly #another = new Saved();
  /** The transition that is to be told. */
  #telling: { ordinal: number; script: string[] } | undefined;

  constructor(variant: Variant, options: ExploreOptions) {
    this.#options = options;
    this.#world = new World(variant, options, this.#checks, this.#layout, 0);
    this.#grown = new World(variant, options, this.#checks, this.#layout, PAGES_GROWN);
  }

  run(): Report {
    const { depth = Infinity, states = Infinity, goOn } = this.#options;
    this.#judge(() => this.#begin());
    let next = 0;
    for (let end = 1; next < end && this.#depth < depth; end = this.#states.size) {
      for (; next < end; next++) {
        const isEnough = this.#violation || this.#states.size >= states || goOn?.(this.#report(false)) === false;
        if (isEnough) return this.#report(false);
        this.#try(() => this.#expand(next));
      }
      this.#depth++;
    }
    return this.#report(!this.#violation && next === this.#states.size);
  }

  #begin(): void {
    this.#world.begin();
    this.#grown.begin();
    this.#world.save(this.#from, false);
    this.#try(() => {
      this.#world.restore(this.#from);
      this.#found(true);
    });
  }

  #report(complete: boolean): Report {
    return {
      capacity: this.#options.capacity,
      states: this.#states.size,
      guests: this.#guests.size,
      transitions: this.#transitions,
      depth: this.#depth,
      complete,
      checks: this.#checks.counts,
      violation: this.#violation,
    };
  }

  /** Takes steps, and takes them again if it turns out that not all that they changed was in the layout. */
  #try(steps: () => void): void {
    const [states, guests, transitions] = [this.#states.size, this.#guests.size, this.#transitions];
    for (;;) {
      try {
        return this.#judge(steps);
      } catch (error) {
        if (!(error instanceof LayoutGrew)) throw error;
        const initial = this.#world.machine.initialRow();
        this.#guests = this.#guests.widened(initial, guests);
        this.#states = this.#states.widened(this.#to.host, states);
        this.#parents.length = this.#ordinals.length = states;
        this.#transitions = transitions;
        this.#telling = undefined;
        for (const saved of [this.#from, this.#to, this.#other, this.#another]) saved.guest = initial.slice();
      }
    }
  }

  #judge(steps: () => void): void {
    try {
      steps();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#reset();
      this.#violation = { message: error.message, script: this.#script() };
    }
  }

  /** After a violation anything may have changed. */
  #reset(): void {
    this.#world.machine.reset();
    this.#grown.machine.reset();
  }

  // Steps.

  #expand(state: number): void {
    this.#expanding = state;
    this.#ordinal = 0;
    this.#states.read(state, this.#from.host);
    this.#guests.read(this.#from.host[0]!, this.#from.guest);
    this.#world.restore(this.#from);
    this.#expandWorld();
    for (const context of REQUESTS) {
      this.#world.restore(this.#from);
      const due = this.#world.state.due(context);
      for (let budget = 1; budget <= due; budget++) this.#expandTurn([context, budget]);
      if (due > 0) this.#compareForged([context, RECORDS]);
    }
    // A call without a budget dispatches nothing, but it cleans up.
    this.#world.restore(this.#from);
    if (this.#world.state.trapped) this.#expandTurn([REQUESTS[0], 0]);
  }

  /** What happens between turns leaves the guest as it is. */
  #expandWorld(): void {
    const { state } = this.#world;
    const step = (act: () => void): void => {
      this.#beginStep();
      act();
      this.#found(false);
      this.#world.restore(this.#from);
    };
    for (const context of REQUESTS) {
      if (state.mayArrive(context)) step(() => state.arrive(context));
      if (state.mayDie(context)) step(() => state.kill(context));
    }
    for (let index = state.working().length - 1; index >= 0; index--) {
      for (const status of [Status.Ok, Status.TimedOut]) step(() => state.complete(state.working()[index]!, status));
    }
  }

  /** One turn, with everything that its handlers may choose, in the order of counting; first with idle handlers. */
  #expandTurn(call: Call): void {
    for (let choices: number[] | undefined = []; choices;) {
      this.#world.restore(this.#from);
      this.#beginStep();
      const arities = this.#world.host.turn(...call, choices);
      this.#found(true);
      if (choices.length === 0) this.#compareGrown(call);
      choices = successor(choices, arities);
    }
  }

  /** The turn that was just taken, its handlers idle, must end in the same state with more memory. */
  #compareGrown(call: Call): void {
    this.#take(call, [], false, this.#other, this.#grown);
    this.#checks.that(this.#other.equals(this.#to), "G5", () => "the turn ends in another state with more memory");
  }

  /**
   * A turn must end in the same state whatever is forged: if its handlers are idle, and if the first one throws. With
   * a budget for all of it.
   */
  #compareForged(call: Call): void {
    this.#tell();
    this.#world.restore(this.#from);
    // The turn would end at its first completion, and then it matters which these are.
    if (this.#world.state.warned) return;
    for (const choices of [[], THROW]) {
      this.#take(call, choices, true, this.#other);
      this.#take(call, choices, false, this.#another);
      const isSame = this.#other.equals(this.#another);
      this.#checks.that(isSame, "G20", () => "the turn ends in another state with forged completions around");
    }
  }

  /** Takes a turn, and if it traps one that cleans up: until then what was forged lies in the way. */
  #take([context, budget]: Call, choices: readonly number[], forging: boolean, to: Saved, world = this.#world): void {
    world.restore(this.#from);
    world.host.turn(context, budget, choices, forging);
    if (choices === THROW && world.state.trapped) world.host.turn(context, 0, []);
    world.save(to, true);
  }

  #beginStep(): void {
    this.#transitions++;
    this.#tell();
  }

  #tell(): void {
    const isTold = this.#telling?.ordinal === ++this.#ordinal;
    this.#world.state.log = isTold ? (line) => this.#telling!.script.push(line) : undefined;
  }

  // States.

  /** Takes note of the state that a step has led to, and examines the guest's half of it if that is new. */
  #found(hasRun: boolean): void {
    const { host, state, machine } = this.#world;
    const isTold = state.log !== undefined;
    state.log = undefined;
    this.#world.save(this.#to, hasRun);
    const guest = hasRun ? this.#guests.add(this.#to.guest) : this.#from.host[0]!;
    const isNew = guest < 0;
    this.#to.host[0] = isNew ? ~guest : guest;
    if (this.#states.add(this.#to.host) < 0) {
      this.#parents.push(this.#expanding);
      this.#ordinals.push(this.#ordinal);
    }
    if (!isNew && !(isTold && hasRun)) return;
    this.#world.restore(this.#to);
    host.probe();
    host.shutDown();
    machine.compareWithStart();
  }

  /** Takes the way to the present transition once more, and tells it in words. */
  #script(): string[] {
    if (this.#transitions === 0) return ["the module starts"];
    const way: [state: number, ordinal: number][] = [[this.#expanding, this.#ordinal]];
    for (let [state] = way[0]!; state !== 0; [state] = way[0]!) {
      way.unshift([this.#parents[state]!, this.#ordinals[state]!]);
    }
    const script: string[] = [];
    for (const [state, ordinal] of way) {
      this.#telling = { ordinal, script };
      try {
        this.#expand(state);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        this.#reset();
      }
    }
    this.#telling = undefined;
    return script;
  }
}
