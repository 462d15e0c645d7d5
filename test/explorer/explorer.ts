// Explorer: tries every step from every state, breadth first, so that the first script that breaks a promise is one of
// the shortest.
//
// A state is that of the module (its memory and globals) and that of the host. A step is something that the world does
// (an event comes, an operation completes, a context is killed), or a turn with everything that its handlers choose.

import { Status } from "../../assembly/abi.ts";
import { Host, PACKED_WORDS, REQUESTS, THROW } from "./host.ts";
import type { HostOptions } from "./host.ts";
import { LayoutGrew, Machine } from "./machine.ts";
import type { Layout } from "./machine.ts";
import { Checks, Violation } from "./promises.ts";
import type { Promised } from "./promises.ts";
import { Rows } from "./rows.ts";
import type { Variant } from "./variant.ts";

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

/** A module and the host that drives it. */
interface World {
  machine: Machine;
  host: Host;
}

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

  // The state that is being expanded, and which of its transitions is being taken.
  #expanding = 0;
  #ordinal = 0;
  #from = new Int32Array(1 + PACKED_WORDS);
  #fromGuest = new Int32Array();
  /** The state to which it led. */
  readonly #to = new Int32Array(1 + PACKED_WORDS);
  #toGuest = new Int32Array();
  /** The state to which the same turn led in another world. */
  readonly #otherState = new Int32Array(1 + PACKED_WORDS);
  #otherGuest = new Int32Array();
  /** The transition that is to be told. */
  #telling: { ordinal: number; script: string[] } | undefined;

  constructor(variant: Variant, options: ExploreOptions) {
    this.#options = options;
    this.#world = this.#start(variant, 0);
    this.#grown = this.#start(variant, PAGES_GROWN);
  }

  #start(variant: Variant, pages: number): World {
    const host = new Host(this.#checks, this.#options);
    const machine = new Machine(variant, host.imports, this.#layout);
    host.machine = machine;
    machine.initialize(pages);
    if (this.#options.fresh) machine.exports.useFreshHandlers();
    // Shows where the library has its records.
    this.#judge(() => host.turn(REQUESTS[0], 1, []));
    machine.begin();
    return { machine, host };
  }

  run(): Report {
    const { depth = Infinity, states = Infinity, goOn } = this.#options;
    if (this.#violation) return this.#report(false);
    this.#world.host.pack(this.#from, 1);
    this.#try(() => {
      this.#restore(this.#world);
      this.#found(true);
    });
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
        this.#states = this.#states.widened(this.#to, states);
        this.#parents.length = this.#ordinals.length = states;
        this.#fromGuest = initial.slice();
        this.#toGuest = initial.slice();
        this.#otherGuest = initial.slice();
        this.#transitions = transitions;
      }
    }
  }

  #judge(steps: () => void): void {
    try {
      steps();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#violation = { message: error.message, script: this.#script() };
    }
  }

  // Steps.

  #expand(state: number): void {
    this.#expanding = state;
    this.#ordinal = 0;
    this.#states.read(state, this.#from);
    this.#guests.read(this.#from[0]!, this.#fromGuest);
    this.#restore(this.#world);
    this.#expandWorld();
    for (const context of REQUESTS) {
      this.#restore(this.#world);
      const due = this.#world.host.due(context);
      for (let budget = 1; budget <= due; budget++) this.#expandTurn(context, budget, due);
    }
    // A call without a budget dispatches nothing, but it cleans up.
    this.#restore(this.#world);
    if (this.#world.host.trapped) this.#expandTurn(REQUESTS[0], 0, 0);
  }

  /** What happens between turns leaves the guest as it is. */
  #expandWorld(): void {
    const { host } = this.#world;
    const step = (act: () => void): void => {
      this.#begin();
      act();
      this.#found(false);
      this.#restore(this.#world);
    };
    for (const context of REQUESTS) {
      if (host.mayArrive(context)) step(() => host.arrive(context));
      if (host.mayDie(context)) step(() => host.kill(context));
    }
    for (let index = host.working().length - 1; index >= 0; index--) {
      for (const status of [Status.Ok, Status.TimedOut]) step(() => host.complete(host.working()[index]!, status));
    }
  }

  /** One turn, with everything that its handlers may choose, in the order of counting; first with idle handlers. */
  #expandTurn(context: number, budget: number, due: number): void {
    const { host } = this.#world;
    for (let choices: number[] | undefined = []; choices;) {
      this.#restore(this.#world);
      this.#begin();
      host.turn(context, budget, choices);
      const next = successor(choices, host.arities);
      this.#found(true);
      if (choices.length === 0) {
        this.#compareTurn(this.#grown, "G5", "with more memory", context, budget);
        if (budget === due) this.#compareForged(context, budget);
      }
      choices = next;
    }
  }

  /** The turn that was just taken with idle handlers must end the same way in another world. */
  #compareTurn(world: World, promised: Promised, how: string, context: number, budget: number): void {
    this.#restore(world);
    world.host.turn(context, budget, []);
    this.#saveOther(world);
    this.#otherState[0] = this.#to[0]!;
    const isSame = isEqual(this.#otherGuest, this.#toGuest) && isEqual(this.#otherState, this.#to);
    this.#checks.that(isSame, promised, () => `the turn ends in another state ${how}`);
  }

  /** Also if a handler throws, though only after the guest has cleaned up: the forged completions are in the way. */
  #compareForged(context: number, budget: number): void {
    const { host } = this.#world;
    this.#restore(this.#world);
    // The turn will end at its first completion, and then it matters which these are.
    if (host.warned) return;
    host.forging = true;
    this.#compareTurn(this.#world, "G20", "with forged completions around", context, budget);
    this.#throwAndRecover(context, budget, true);
    const [state, guest] = [this.#otherState.slice(), this.#otherGuest.slice()];
    this.#throwAndRecover(context, budget, false);
    const isSame = isEqual(this.#otherGuest, guest) && isEqual(this.#otherState, state);
    this.#checks.that(isSame, "G20", () => "a trap ends in another state with forged completions around");
  }

  #throwAndRecover(context: number, budget: number, forging: boolean): void {
    const { host } = this.#world;
    this.#restore(this.#world);
    host.forging = forging;
    host.turn(context, budget, [THROW]);
    host.forging = false;
    if (host.trapped) host.turn(context, 0, []);
    this.#saveOther(this.#world);
  }

  #saveOther({ machine, host }: World): void {
    machine.save(this.#otherGuest);
    host.pack(this.#otherState, 1);
    machine.compareWithStart();
  }

  #restore({ machine, host }: World): void {
    machine.restore(this.#fromGuest);
    host.unpack(this.#from, 1);
  }

  #begin(): void {
    this.#transitions++;
    const isTold = this.#telling?.ordinal === ++this.#ordinal;
    this.#world.host.log = isTold ? (line) => this.#telling!.script.push(line) : undefined;
  }

  // States.

  /** Takes note of the state that a step has led to, and examines the guest's half of it if that is new. */
  #found(hasRun: boolean): void {
    const { machine, host } = this.#world;
    host.pack(this.#to, 1);
    let isNew = false;
    if (hasRun) {
      machine.save(this.#toGuest);
      const guest = this.#guests.add(this.#toGuest);
      isNew = guest < 0;
      this.#to[0] = isNew ? ~guest : guest;
    } else {
      this.#to[0] = this.#from[0]!;
    }
    if (this.#states.add(this.#to) < 0) {
      this.#parents.push(this.#expanding);
      this.#ordinals.push(this.#ordinal);
    }
    const isTold = host.log !== undefined;
    host.log = undefined;
    if (hasRun) machine.compareWithStart();
    if (!isNew && !isTold) return;
    machine.restore(hasRun ? this.#toGuest : this.#fromGuest);
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
      }
    }
    this.#telling = undefined;
    return script;
  }
}

function isEqual(left: Int32Array, right: Int32Array): boolean {
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}

/** The next list of choices, or none if these were the last. What was not chosen was 0. */
function successor(choices: readonly number[], arities: readonly number[]): number[] | undefined {
  for (let last = arities.length - 1; last >= 0; last--) {
    const chosen = choices[last] ?? 0;
    if (chosen + 1 < arities[last]!) {
      return [...Array.from({ length: last }, (_, index) => choices[index] ?? 0), chosen + 1];
    }
  }
  return undefined;
}
