// World: the guest of groups and the host that drives it, whose steps can be listed and taken.

import {
  COMPLETION_BYTES,
  CancelResult,
  DETACHED,
  MORE,
  Opcode,
  RECLAIM,
  REPORT_DROPPED,
  SUBMISSION_BYTES,
  Status,
  SUBMISSION_ARGUMENT_0,
  SUBMISSION_ARGUMENT_1,
  SUBMISSION_ARGUMENT_2,
  SUBMISSION_FLAGS,
  SUBMISSION_OPCODE,
  SUBMISSION_RESOURCE,
  SUBMISSION_TOKEN_GENERATION,
  SUBMISSION_TOKEN_SLOT,
} from "../../../assembly/abi.ts";
import { writeCompletion } from "../records.ts";
import { Checks, Violation } from "../promises.ts";
import type { GroupPromised } from "../promises.ts";
import type { Variant } from "../variant.ts";
import { Machine } from "./machine.ts";
import type { Snapshot } from "./machine.ts";
import { Oracle, decideBy } from "./oracle.ts";
import { ENDED, INSTANCE, OPEN, DEADLINE, textOf } from "./state.ts";
import type { Command, Completion, Entry, Outcome, Plan, State } from "./state.ts";
import { Command as Kind, Kind as Node, contains, deadlinesOf, membersIn, membersOf, wordsOf } from "./tree.ts";
import type { Tree } from "./tree.ts";

const TRAP = new Error("the guest aborted");
const MAPPED = 100;
const COMMAND_BITS = 8;
const ATTEMPTS = 4;
const ALL_OUTCOMES: readonly Outcome[] = ["success", "resource", "failure", "timeout"];

export interface Saved {
  readonly host: string;
  readonly guest: Snapshot;
}

/** Something that may happen next. */
export type Step =
  | { do: "command"; number: number }
  | { do: "complete"; entry: number; outcome: Outcome }
  | { do: "kill"; context: number }
  | { do: "turn"; context: number; budget: number };

/** What is known of the turn that runs. */
interface Turn {
  readonly context: number;
  /** The handler or mapped function, by number, that throws. */
  readonly trapAt: number;
  entered: number;
  trapping: boolean;
  /** Groups that were started on it. */
  readonly started: number[];
  refused: boolean;
  /** Members whose completions were handed over on this turn, by token. */
  readonly delivered: Map<string, number>;
  /** Groups that have completed, and how many reports there must be of each by the end. */
  readonly reports: [group: number, count: number][];
}

export class World {
  readonly checks: Checks<GroupPromised>;
  readonly machine: Machine;
  readonly plan: Plan;
  readonly commands: readonly Command[];
  state: State;
  /** Takes down what happens, in words. */
  log: ((line: string) => void) | undefined;
  readonly #trees: readonly (readonly number[])[];
  readonly #groupOf: readonly number[];
  readonly #gated: ReadonlySet<number>;
  readonly #hasGate: boolean;
  readonly #oracle: Oracle;
  #turn: Turn | undefined;

  constructor(variant: Variant, plan: Plan, checks: Checks<GroupPromised>) {
    this.plan = plan;
    this.checks = checks;
    this.#trees = plan.groups.map(({ tree }) => wordsOf(tree));
    const groupOf: number[] = [];
    plan.groups.forEach(({ tree }, group) => membersOf(tree).forEach((member) => (groupOf[member] = group)));
    this.#groupOf = groupOf;
    this.#hasGate = plan.groups.some(({ tree }) => contains(tree, Node.Limit));
    this.#gated = new Set(plan.groups.flatMap(({ tree }) => membersIn(Node.Limit, tree)));
    this.commands = commandsOf(plan);
    this.state = {
      entries: [],
      queues: [[], [], []],
      resources: {},
      groups: plan.groups.map(() => ({
        started: false,
        done: false,
        cancelled: false,
        decided: OPEN,
        failures: 0,
        reported: 0,
        refused: false,
        value: 0,
      })),
      members: groupOf.map(() => ({ attempts: 0, status: null, resource: 0 })),
      passed: [],
      ended: [false, false],
      commands: 2 ** this.commands.length - 1,
      faults: plan.faults ?? 1,
      trapped: false,
      closed: false,
    };
    this.#oracle = new Oracle(this);
    this.machine = new Machine(variant, this.#imports());
    this.#start();
  }

  #imports(): WebAssembly.Imports {
    return {
      proactor_v1: {
        submit: (at: number, count: number) => this.#submit(at, count),
        poll: (at: number, capacity: number, arena: number) => this.#poll(at, capacity, arena),
        open: () => Status.NotFound,
        abort: (message: number, bytes: number) => {
          if (!this.#turn?.trapping) {
            const text = Buffer.from(this.machine.exports.memory.buffer, message, bytes).toString();
            throw new Violation("G9", `the guest aborted by itself: ${text}`);
          }
          throw TRAP;
        },
      },
      // For the jitter of retries, of which ours have none.
      wasi_snapshot_preview1: { random_get: () => 0 },
      "group-host": {
        word: (group: number, at: number) => this.#word(group, at),
        entered: (who: number, at: number) => this.#entered(who, at),
        cancelled: (group: number, first: number, again: number) => this.#cancelled(group, first, again),
      },
    };
  }

  #start(): void {
    const { exports } = this.machine;
    this.#turn = turnOf(INSTANCE, OPEN);
    this.machine.initialize();
    const { gate, channel } = this.plan;
    exports.configure(gate?.limit ?? 1, gate?.room ?? 1, channel ?? 0);
    this.#turn = turnOf(0, OPEN);
    exports.run(1);
    this.machine.begin();
    this.#renew();
    this.commands.forEach(({ auxiliary }, number) => {
      if (this.plan.atOnce && (auxiliary & 0xff) === Kind.Start) this.take({ do: "command", number });
    });
  }

  /** Generations are others now; see the machine. */
  #renew(): void {
    for (const entry of [...this.state.entries, ...this.state.queues.flat()]) {
      entry.generation = this.machine.generationOf(entry.slot);
    }
  }

  // Saving.

  save(): Saved {
    return { host: textOf(this.state), guest: this.machine.save() };
  }

  restore({ host, guest }: Saved): void {
    this.state = JSON.parse(host) as State;
    this.machine.restore(guest);
  }

  // Steps.

  steps(): Step[] {
    const { state } = this;
    if (state.trapped) return this.#turns();
    const steps: Step[] = [];
    this.commands.forEach(({ context }, number) => {
      const isHeard = context === undefined ? state.ended.includes(false) : !state.ended[context];
      if (this.#mayCome(number) && isHeard) steps.push({ do: "command", number });
    });
    state.entries.forEach((entry, index) => {
      for (const outcome of this.#outcomesOf(entry)) steps.push({ do: "complete", entry: index, outcome });
    });
    for (const context of [0, 1]) {
      const isAlive = !state.ended[context] && this.#isUsed(context);
      if (state.faults > 0 && isAlive) steps.push({ do: "kill", context });
    }
    return [...steps, ...this.#turns()];
  }

  #turns(): Step[] {
    const { state } = this;
    const steps: Step[] = [];
    // A context that has ended stands for a later request, which is needed only if there is no other.
    const living = [0, 1].filter((context) => !state.ended[context] && this.#isKnown(context));
    for (const context of living.length > 0 ? living : [0]) {
      const due = state.queues[context]!.length + state.queues[INSTANCE]!.length;
      for (let budget = 1; budget <= Math.max(due, state.trapped ? 1 : 0); budget++) {
        steps.push({ do: "turn", context, budget });
      }
    }
    return steps;
  }

  #isKnown(context: number): boolean {
    return this.plan.groups.some((group) => group.context === context);
  }

  #isUsed(context: number): boolean {
    const { entries, queues } = this.state;
    return queues[context]!.length > 0 || entries.some((entry) => entry.context === context);
  }

  #mayCome(number: number): boolean {
    if (!(this.state.commands & (1 << number))) return false;
    const { auxiliary } = this.commands[number]!;
    if ((auxiliary & 0xff) === Kind.Start) return true;
    // Whatever else comes, comes after the start of the groups that it is about.
    const group = (auxiliary & 0xff) === Kind.Cancel ? auxiliary >>> COMMAND_BITS : 0;
    const start = this.commands.findIndex((command) => command.auxiliary === (Kind.Start | (group << COMMAND_BITS)));
    return !(this.state.commands & (1 << start));
  }

  #outcomesOf({ opcode, queued }: Entry): readonly Outcome[] {
    if (queued) return [];
    if (opcode === Opcode.Timer) return ["success"];
    if (opcode === Opcode.Wait) return this.plan.waitsEnd ? ["timeout"] : [];
    return opcode === Opcode.KvGet ? (this.plan.outcomes ?? ALL_OUTCOMES) : [];
  }

  /** Takes a step. Returns how many handlers and mapped functions began, each of which could have thrown. */
  take(step: Step, trapAt = OPEN): number {
    const { state } = this;
    switch (step.do) {
      case "command": {
        const { auxiliary, title, ...command } = this.commands[step.number]!;
        const context = command.context ?? state.ended.indexOf(false);
        state.commands &= ~(1 << step.number);
        const accept = state.entries.find(({ opcode }) => opcode === Opcode.Accept)!;
        state.queues[context]!.push({ ...completionOf(accept, Status.Ok), flags: MORE, auxiliary });
        this.log?.(`context ${"AB"[context]} is asked to ${title}`);
        return 0;
      }
      case "complete": {
        const entry = state.entries[step.entry]!;
        this.log?.(`${nameOf(entry)} completes: ${step.outcome}`);
        this.#complete(entry, step.outcome);
        return 0;
      }
      case "kill":
        this.log?.(`the platform kills context ${"AB"[step.context]}`);
        state.faults--;
        this.#end(step.context);
        return 0;
      case "turn":
        this.log?.(`context ${"AB"[step.context]} takes a turn with budget ${step.budget}`);
        return this.#run(step.context, step.budget, trapAt);
    }
  }

  #complete(entry: Entry, outcome: Outcome): void {
    const { state } = this;
    const statuses = { success: Status.Ok, resource: Status.Ok, failure: Status.Network, timeout: Status.TimedOut };
    const completion = completionOf(entry, statuses[outcome]);
    if (entry.opcode === Opcode.KvGet) completion.auxiliary = entry.number;
    if (outcome === "resource") {
      completion.resource = 1 + entry.number * ATTEMPTS + state.members[entry.number]!.attempts;
      state.resources[completion.resource] = entry.context;
    }
    if (entry.opcode === Opcode.Timer && entry.number > 1) state.passed.push(entry.number);
    this.#queue(entry, completion);
  }

  #queue(entry: Entry, completion: Completion, context = entry.context): void {
    entry.queued = true;
    this.state.queues[context]!.push(completion);
  }

  /** A context is over: what it had is let go of, and the guest hears by completions flagged RECLAIM. */
  #end(context: number): void {
    const { state } = this;
    state.ended[context] = true;
    state.queues[context] = [];
    for (const [resource, owner] of Object.entries(state.resources)) {
      if (owner === context) state.resources[Number(resource)] = ENDED;
    }
    this.plan.groups.forEach((group, number) => {
      if (group.context === context) this.#forget(number);
    });
    for (const entry of state.entries.filter((other) => other.context === context)) {
      this.#queue(entry, { ...completionOf(entry, Status.ShutDown), flags: RECLAIM }, INSTANCE);
      entry.context = INSTANCE;
    }
  }

  #run(context: number, budget: number, trapAt: number): number {
    const turn = (this.#turn = turnOf(context, trapAt));
    const { state, machine, checks } = this;
    state.trapped = false;
    try {
      machine.exports.run(budget);
    } catch (error) {
      if (error !== TRAP) {
        if (error instanceof Violation) throw error;
        throw new Violation("G9", `the module broke: ${error}`);
      }
      this.log?.(`  the guest aborts, and context ${"AB"[context]} ends`);
      state.trapped = true;
      state.faults--;
      this.#end(context);
      return turn.entered;
    }
    checks.that(machine.stackDepth === 0, "G9", () => `the shadow stack is ${machine.stackDepth} too deep`);
    machine.collect();
    machine.clean();
    this.#renew();
    for (const [number, count] of turn.reports) {
      const { reported } = state.groups[number]!;
      checks.that(reported === count, "G21", () => `${count} failures were dropped, and ${reported} reported`);
    }
    for (const group of state.groups) if (group.done) group.reported = 0;
    this.#checkGate();
    return turn.entered;
  }

  /** What a group's members came to is of no interest when it is over, unless others share it. */
  #forget(number: number): void {
    const { tree } = this.plan.groups[number]!;
    if (contains(tree, Node.Share)) return;
    for (const member of membersOf(tree)) this.state.members[member] = { attempts: 0, status: null, resource: 0 };
    Object.assign(this.state.groups[number]!, { cancelled: false, decided: OPEN, failures: 0 });
    this.state.passed = this.state.passed.filter((ms) => !deadlinesOf(tree).includes(ms));
  }

  // Imports.

  #word(group: number, at: number): number {
    if (at === 0) {
      this.log?.(`    group ${group} starts`);
      this.state.groups[group]!.started = true;
      this.#turn!.started.push(group);
    }
    return this.#trees[group]![at]!;
  }

  #poll(at: number, capacity: number, arena: number): number {
    const { state } = this;
    this.machine.completionsAt = at;
    this.machine.arenaAt = arena;
    let count = 0;
    while (count < capacity) {
      const completion = state.queues[INSTANCE]!.shift() ?? state.queues[this.#turn!.context]!.shift();
      if (!completion) break;
      // The auxiliary value is the payload too, in the arena, where the next turn overwrites it.
      const payload = arena + 8 * count;
      this.machine.words[payload >>> 2] = completion.auxiliary;
      writeCompletion(this.machine.words, at + count * COMPLETION_BYTES, completion, [payload, 4]);
      count++;
      if (!(completion.flags & MORE)) this.#delivered(completion);
      else if (completion.auxiliary === Kind.CancelScope) this.#scopeCancelled();
      else if (completion.auxiliary === Kind.CloseChannel) state.closed = true;
    }
    return count;
  }

  /** What has come to its end already has left the scope. */
  #scopeCancelled(): void {
    this.state.groups.forEach((group, number) => {
      const { tree } = this.plan.groups[number]!;
      const isOver = membersOf(tree).every((identity) => this.state.members[identity]!.status !== null);
      if (!group.done && !isOver && tree.kind === Node.Within) group.cancelled = true;
    });
  }

  #delivered(completion: Completion): void {
    const { entries } = this.state;
    const index = entries.findIndex(({ slot, generation }) => isOf(completion, slot, generation));
    const [entry] = entries.splice(index, 1);
    if (completion.flags & RECLAIM) return;
    if (entry!.opcode === Opcode.KvGet) {
      this.#heard(entry!.number, entry!.cancelled ? Status.Cancelled : completion.status, completion.resource);
      this.#turn!.delivered.set(`${entry!.slot} ${entry!.generation}`, entry!.number);
    }
    if (entry!.opcode === Opcode.Timer) this.#heardTimer(entry!.number, completion.status);
  }

  /** A member's completion reaches its group. */
  #heard(identity: number, status: number, resource: number): void {
    const member = this.state.members[identity]!;
    member.status = status;
    member.resource = resource;
    const number = this.#groupOf[identity]!;
    decideBy(this.plan.groups[number]!.tree, this.state.groups[number]!, this.state, identity, status);
  }

  #heardTimer(ms: number, status: number): void {
    const number = this.plan.groups.findIndex(({ tree }) => ms > 1 && tree.deadline === ms && tree.kind !== Node.Share);
    const group = this.state.groups[number];
    if (group && group.decided === OPEN && status === Status.Ok) group.decided = DEADLINE;
  }

  #submit(at: number, count: number): number {
    for (let index = 0; index < count; index++) {
      if (!this.#admit(at + index * SUBMISSION_BYTES)) return index;
    }
    return count;
  }

  #admit(at: number): boolean {
    const { state, checks, machine } = this;
    const word = (offset: number): number => machine.words[(at + offset) >>> 2]!;
    const opcode: Opcode = word(SUBMISSION_OPCODE) & 0xffff;
    const flags = word(SUBMISSION_FLAGS - 2) >>> 16;
    const [slot, generation] = [word(SUBMISSION_TOKEN_SLOT), word(SUBMISSION_TOKEN_GENERATION)];
    const argument = word(SUBMISSION_ARGUMENT_0);
    const context = opcode === Opcode.Accept ? INSTANCE : this.#turn!.context;
    const entry: Entry = { slot, generation, opcode, context, number: 0, queued: false, cancelled: false };
    if (opcode === Opcode.KvGet || opcode === Opcode.Timer) entry.number = argument;
    checks.that(
      state.entries.every((other) => other.slot !== slot),
      "G3",
      () => `slot ${slot} was given out twice`,
    );
    const victim = this.#victim(opcode, argument, word(SUBMISSION_ARGUMENT_1));
    const resource = word(SUBMISSION_RESOURCE);
    const owns = opcode === Opcode.Close && state.resources[resource] === context;
    if (opcode === Opcode.KvGet) this.#checkMember(argument);
    if (opcode === Opcode.Report)
      this.#reported(`${word(SUBMISSION_ARGUMENT_1)} ${word(SUBMISSION_ARGUMENT_2)}`, flags);
    const { capacity } = this.plan;
    const isFull = capacity !== undefined && state.entries.length - 1 >= capacity;
    if (isFull && !victim && !owns && opcode !== Opcode.Accept) {
      this.#refuse(entry, opcode);
      return false;
    }
    state.entries.push(entry);
    this.log?.(`      the host admits ${nameOf(entry)}`);
    if (opcode === Opcode.KvGet) {
      state.members[argument]!.attempts++;
      this.#checkInside();
    }
    if (opcode === Opcode.Cancel) this.#cancel(argument, word(SUBMISSION_ARGUMENT_1), victim);
    if (opcode === Opcode.Wake && victim) this.#wake(victim);
    if (opcode === Opcode.Close) this.#close(resource, context);
    const isNow = [Opcode.Noop, Opcode.Cancel, Opcode.Close, Opcode.Report, Opcode.Wake].includes(opcode);
    checks.that(
      isNow || [Opcode.KvGet, Opcode.Timer, Opcode.Wait, Opcode.Accept].includes(opcode),
      "G16",
      () => `${Opcode[opcode]} is submitted, and nobody asked for it`,
    );
    if (isNow) this.#queue(entry, completionOf(entry, Status.Ok));
    else if (flags & DETACHED) throw new Violation("G16", `${nameOf(entry)} has nobody who waits for it`);
    return true;
  }

  /** What makes room: a cancel of what is in flight here, a wake of what waits anywhere. */
  #victim(opcode: Opcode, slot: number, generation: number): Entry | undefined {
    if (opcode !== Opcode.Cancel && opcode !== Opcode.Wake) return undefined;
    const entry = this.state.entries.find((other) => other.slot === slot && other.generation === generation);
    if (!entry || entry.queued) return undefined;
    if (opcode === Opcode.Wake) return entry.opcode === Opcode.Wait ? entry : undefined;
    return entry.context === this.#turn!.context ? entry : undefined;
  }

  #refuse(entry: Entry, opcode: Opcode): void {
    this.log?.(`      the host refuses ${nameOf(entry)}`);
    this.#turn!.refused = true;
    for (const [number, group] of this.state.groups.entries()) {
      if (this.plan.groups[number]!.context === this.#turn!.context) group.refused = true;
    }
    if (opcode === Opcode.KvGet) {
      this.state.members[entry.number]!.attempts++;
      this.#heard(entry.number, Status.Again, 0);
      this.#turn!.delivered.set(`${entry.slot} ${entry.generation}`, entry.number);
    }
  }

  #cancel(slot: number, generation: number, victim: Entry | undefined): void {
    const entry = this.state.entries.find((other) => other.slot === slot && other.generation === generation);
    if (entry) entry.cancelled = true;
    if (victim) this.#queue(victim, completionOf(victim, Status.Cancelled));
  }

  #wake(entry: Entry): void {
    if (this.#hasGate) {
      const first = this.state.entries.find(({ opcode, queued }) => opcode === Opcode.Wait && !queued);
      this.checks.that(first === entry, "G18", () => `${nameOf(entry)} is let in before ${nameOf(first!)}`);
    }
    this.#queue(entry, completionOf(entry, Status.Ok));
  }

  #close(resource: number, context: number): void {
    const owner = this.state.resources[resource];
    this.checks.that(owner !== undefined, "G8", () => `resource ${resource} is closed, and it is nobody's`);
    const isOwn = owner === context || owner === ENDED;
    this.checks.that(isOwn, "G8", () => `resource ${resource} is closed in another context than its own`);
    delete this.state.resources[resource];
  }

  #reported(token: string, flags: number): void {
    const identity = this.#turn!.delivered.get(token);
    if (identity === undefined || !(flags & REPORT_DROPPED)) return;
    this.state.groups[this.#groupOf[identity]!]!.reported++;
  }

  // What the guest tells.

  #cancelled(number: number, first: number, again: number): void {
    const group = this.state.groups[number]!;
    this.log?.(`    a cancel of group ${number}: ${CancelResult[first]}`);
    const expected = group.done ? CancelResult.TooLate : CancelResult.Won;
    const isRight = first === expected && again === expected;
    this.checks.that(
      isRight,
      "G7",
      () => `cancels of group ${number} said ${CancelResult[first]}, ${CancelResult[again]}`,
    );
    if (!group.done) group.cancelled = true;
  }

  #entered(who: number, at: number): boolean {
    const turn = this.#turn!;
    turn.trapping = turn.entered++ === turn.trapAt;
    if (who === MAPPED) {
      this.log?.("  a mapped function begins");
      this.#oracle.mapped(at, turn.context);
    } else {
      this.log?.(`  the handler of group ${who} begins`);
      this.#checkHandler(who, turn);
      const reports = this.#oracle.completed(who, at);
      if (reports !== undefined) turn.reports.push([who, reports]);
      this.#forget(who);
    }
    return turn.trapping;
  }

  #checkHandler(number: number, turn: Turn): void {
    const { checks, state, plan } = this;
    const group = state.groups[number]!;
    const { context } = plan.groups[number]!;
    checks.that(!group.done, "G3", () => `group ${number} completes twice`);
    checks.that(!state.ended[context], "G3", () => `group ${number} completes after its request`);
    checks.that(turn.context === context, "G19", () => `group ${number} completes in another context`);
    const isLater = turn.refused || !turn.started.includes(number);
    checks.that(isLater, "G1", () => `group ${number} completes on the turn on which it starts`);
    group.done = true;
    const left = state.entries.find(
      (entry) => entry.opcode === Opcode.KvGet && this.#groupOf[entry.number] === number && !entry.queued,
    );
    checks.that(!left, "G16", () => `group ${number} completes, and ${nameOf(left!)} is in flight`);
    const unheard = state.entries.find(
      (entry) => entry.opcode === Opcode.KvGet && this.#groupOf[entry.number] === number,
    );
    checks.that(!unheard, "G16", () => `group ${number} completes before ${nameOf(unheard!)} is heard`);
  }

  /** Members may not be started by a group that is over, nor oftener than they should. */
  #checkMember(identity: number): void {
    const number = this.#groupOf[identity]!;
    const { done } = this.state.groups[number]!;
    this.checks.that(!done, "G16", () => `group ${number} starts member ${identity} after it has completed`);
    const { attempts } = this.state.members[identity]!;
    const max = contains(this.plan.groups[number]!.tree, Node.Retry) ? 2 : 1;
    this.checks.that(attempts < max, "G17", () => `member ${identity} is started ${attempts + 1} times`);
  }

  // The gate.

  /** Members inside the gate, as the host sees them: what was killed and not reclaimed is inside, too. */
  #inside(): number {
    return this.state.entries.filter(({ opcode, number }) => opcode === Opcode.KvGet && this.#gated.has(number)).length;
  }

  #checkInside(): void {
    if (!this.#hasGate) return;
    const inside = this.#inside();
    this.checks.that(inside <= this.plan.gate!.limit, "G18", () => `${inside} are inside the gate`);
  }

  #checkGate(): void {
    if (!this.#hasGate) return;
    const { state, checks, machine, plan } = this;
    const { limit, room } = plan.gate!;
    const [running, waiting] = [machine.exports.runningInGate(), machine.exports.waitingAtGate()];
    checks.that(running <= limit, "G18", () => `the gate counts ${running} inside`);
    checks.that(waiting <= room, "G18", () => `the gate counts ${waiting} that wait`);
    checks.that(running === limit || waiting === 0, "G18", () => `${waiting} wait, and ${running} are inside`);
    if (state.queues.some((queue) => queue.length > 0)) return;
    const inside = this.#inside();
    const waits = state.entries.filter(({ opcode }) => opcode === Opcode.Wait).length;
    const isFull = waits === 0 || inside === limit;
    checks.that(isFull, "G18", () => `${waits} wait, nothing is due, and ${inside} are inside`);
    // A gate of groups that have more than one member counts them, not their members.
    checks.that(running >= inside || inside > limit, "G18", () => `the gate counts ${running} of ${inside}`);
  }

  // The end.

  /** No step is left: everything must have completed, unless it waits at a channel that nobody has closed. */
  checkEnd(): void {
    const { state, checks, machine, plan } = this;
    const waiting: Tree[] = [];
    state.groups.forEach(({ started, done }, number) => {
      const { context, tree } = plan.groups[number]!;
      if (done || !started || state.ended[context]!) return;
      const mayWait = plan.channel !== undefined && !state.closed;
      checks.that(mayWait, "G3", () => `group ${number} never completes`);
      waiting.push(tree);
    });
    this.#checkWaiting(waiting);
    const left = state.entries.length - 1 - waiting.length;
    checks.that(left === 0, "G13", () => `${nameOf(state.entries.at(-1)!)} is left`);
    // One that waits has a slot, and its wait another.
    const taken = machine.exports.inFlightCount() - 1 - waiting.length * 2;
    checks.that(taken === 0, "G13", () => `${taken} slots are taken`);
    const open = Object.entries(state.resources).find(([, owner]) => owner !== ENDED);
    checks.that(!open, "G8", () => `resource ${open![0]} was neither closed nor handed over`);
    this.#checkChannel();
    if (!this.#hasGate) return;
    const running = machine.exports.runningInGate();
    checks.that(running === 0, "G18", () => `${running} places in the gate are lost`);
  }

  #checkWaiting(waiting: readonly Tree[]): void {
    const inside = this.machine.exports.valuesInChannel();
    const count = (wanted: Node): number => waiting.filter(({ kind }) => kind === wanted).length;
    const [senders, receivers] = [count(Node.Send), count(Node.Receive)];
    const isFull = senders === 0 || (receivers === 0 && inside === this.plan.channel);
    const isEmpty = receivers === 0 || inside === 0;
    this.checks.that(isFull && isEmpty, "G3", () => `${senders} wait to send, ${receivers} to receive, of ${inside}`);
  }

  /** What was sent was received, or is in the channel. Who sent a value that was received may have ended before it heard. */
  #checkChannel(): void {
    const { state, plan } = this;
    const count = (kind: Node): number =>
      plan.groups.filter(({ tree }, number) => tree.kind === kind && state.groups[number]!.value !== 0).length;
    const [sent, received] = [count(Node.Send), count(Node.Receive)];
    const inside = this.machine.exports.valuesInChannel();
    this.checks.that(
      sent <= received + inside,
      "G3",
      () => `${sent} were sent, ${received} received, ${inside} are left`,
    );
  }
}

function turnOf(context: number, trapAt: number): Turn {
  return {
    context,
    trapAt,
    entered: 0,
    trapping: false,
    started: [],
    refused: false,
    delivered: new Map(),
    reports: [],
  };
}

function completionOf({ slot, generation }: Entry, status: Status): Completion {
  return { slot, generation, status, flags: 0, resource: 0, auxiliary: 0 };
}

const isOf = (completion: Completion, slot: number, generation: number): boolean =>
  completion.slot === slot && completion.generation === generation;

function nameOf({ opcode, number, slot }: Entry): string {
  if (opcode === Opcode.KvGet) return `member ${number}`;
  if (opcode === Opcode.Timer) return `the timer of ${number} ms`;
  return `${Opcode[opcode]} (slot ${slot})`;
}

function commandsOf(plan: Plan): Command[] {
  const commands: Command[] = [];
  plan.groups.forEach(({ context }, group) => {
    const add = (kind: Kind, title: string): void =>
      void commands.push({ context, auxiliary: kind | (group << COMMAND_BITS), title: `${title} group ${group}` });
    add(Kind.Start, "start");
    if (plan.cancels?.includes(group) ?? true) add(Kind.Cancel, "cancel");
  });
  const { context } = plan.groups[0]!;
  // A scope belongs to one request, a channel to all.
  if (plan.cancelsScope) commands.push({ context, auxiliary: Kind.CancelScope, title: "cancel the scope" });
  if (plan.closesChannel)
    commands.push({ context: undefined, auxiliary: Kind.CloseChannel, title: "close the channel" });
  return commands;
}
