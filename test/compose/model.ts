// Model: what composite operations must do, as plainly as can be said: lists, one clock, and objects that wait for others.
//
// A request takes turns. A turn takes what is due, one after the other, and then lets the composites go on that have
// something to do, in the order in which they got it. Time passes only when nothing is due.

import { Status, TIMER_MS_MAX } from "../../assembly/abi.ts";
import type { Answer, Op, Policy, Shared, Step } from "./script.ts";

export interface Result {
  status: Status;
  auxiliary: number;
  value: number;
  /** Whether a body on the host came along. */
  body: boolean;
  list: Result[];
}

const ok = (more: Partial<Result> = {}): Result => ({
  status: Status.Ok,
  auxiliary: 0,
  value: 0,
  body: false,
  list: [],
  ...more,
});

const failure = (status: Status): Result => ok({ status });

/** As the guest says it. */
const flat = ({ status, auxiliary, value, body, list }: Result): number[] => [
  status,
  auxiliary,
  value,
  Number(body),
  list.length,
  ...list.flatMap(flat),
];

const hasBody = ({ body, list }: Result): boolean => body || list.some(hasBody);

const failed = ({ status }: Result): boolean => status < 0;

type Done = (result: Result) => void;

/** Whatever was submitted. */
interface Running {
  readonly isCancelled: boolean;
  cancel(): void;
}

/** How reports call what has another name here. */
const NAMES: Partial<Record<Op["op"], string>> = {
  get: "kv.get",
  page: "fetch",
  settled: "gather",
  steps: "task",
};

/** Something of the future. */
interface Event {
  at: number;
  order: number;
  /** Whether it comes from outside, so that its order among others of the same moment is nobody's promise. */
  outside: boolean;
  isOver(): boolean;
  happen(): void;
}

export class Model {
  now = 0;
  readonly entries: { at: number; number: number; results: number[] }[] = [];
  readonly reports: { at: number; kind: string; operation: string; status: Status }[] = [];
  /** Whether two things came at the same moment whose order nobody promises. */
  ambiguous = false;
  readonly gates: Gate[];
  readonly channels: Channel[];
  readonly leaders = new Map<number, ShareFlight>();
  /** Tasks that are in flight. */
  readonly busy = new Map<Op, StepsFlight>();
  readonly attempts = new Map<number, number>();
  readonly #scopes = new Map<number, Scope>();
  readonly #submitted = new Map<number, Running>();
  readonly #due: (() => void)[] = [];
  readonly #working: Flight[] = [];
  #events: Event[] = [];
  #order = 0;

  constructor(
    shared: Shared,
    /** Milliseconds that a wait takes at most. */
    readonly waitMs: number,
  ) {
    this.gates = shared.gates.map(({ limit, room }) => new Gate(limit, room));
    this.channels = shared.channels.map((capacity) => new Channel(capacity));
  }

  scope(number: number): Scope {
    let scope = this.#scopes.get(number);
    if (!scope) this.#scopes.set(number, (scope = new Scope()));
    return scope;
  }

  /** Plays a request's script to its end. */
  play(steps: Step[]): void {
    this.#due.push(() => this.#perform(steps));
    for (;;) {
      while (this.#due.length > 0) this.#turn();
      this.#events = this.#events.filter((event) => !event.isOver());
      if (this.#events.length === 0) return;
      this.now = Math.min(...this.#events.map(({ at }) => at));
      const next = this.#events.filter(({ at }) => at === this.now);
      if (next.length > 1 && next.some(({ outside }) => outside)) this.ambiguous = true;
      this.#events = this.#events.filter(({ at }) => at !== this.now);
      for (const event of next.toSorted((a, b) => a.order - b.order)) event.happen();
    }
  }

  #turn(): void {
    for (const dispatch of this.#due.splice(0)) dispatch();
    for (let flight = this.#working.shift(); flight; flight = this.#working.shift()) flight.serve();
  }

  #perform(steps: Step[]): void {
    for (const step of steps) {
      if (step.do === "submit") {
        const { number, operation, next } = step;
        const done = (result: Result): void => {
          this.entries.push({ at: this.now, number, results: flat(result) });
          this.#perform(next);
        };
        this.#submitted.set(number, this.submit(operation, done));
      } else if (step.do === "detach") this.#detach(step.operation);
      else if (step.do === "cancel") this.#submitted.get(step.number)?.cancel();
      else if (step.do === "cancelScope") this.scope(step.scope).cancel();
      else if (step.do === "closeChannel") this.channels[step.channel]!.close();
    }
  }

  /** A failure of which no handler hears is reported, unless somebody wanted the operation to end. */
  #detach(operation: Op): void {
    const running = this.submit(operation, (result) => {
      if (failed(result) && !running.isCancelled) this.report("unhandled", NAMES[operation.op] ?? operation.op, result);
    });
  }

  /** Hands over what is due, on the next turn. */
  due(dispatch: () => void): void {
    this.#due.push(dispatch);
  }

  /** Lets a composite do something on this turn. */
  work(flight: Flight): void {
    if (!this.#working.includes(flight)) this.#working.push(flight);
  }

  after(ms: number, outside: boolean, leaf: Leaf, result: Result): void {
    this.#events.push({
      at: this.now + ms,
      order: this.#order++,
      outside,
      isOver: () => leaf.settled,
      happen: () => leaf.settle(result),
    });
  }

  report(kind: "dropped" | "unhandled", operation: string, { status }: Result): void {
    this.reports.push({ at: this.now, kind, operation, status });
  }

  submit(op: Op, done: Done, deadline = op.deadline ?? 0): Running {
    switch (op.op) {
      case "noop":
      case "timer":
      case "get":
      case "page":
      case "fetch":
        return this.#leaf(op, done, deadline);
      default:
        return new FLIGHTS[op.op](this, op as never, done, deadline).begin();
    }
  }

  noop(done: Done): Leaf {
    const leaf = new Leaf(this, done);
    leaf.settle(ok());
    return leaf;
  }

  timer(ms: number, done: Done): Leaf {
    const leaf = new Leaf(this, done);
    if (ms > TIMER_MS_MAX) leaf.settle(failure(Status.Invalid));
    else this.after(ms, false, leaf, ok());
    return leaf;
  }

  /** What nobody has let go on after so long is over. */
  wait(done: Done): Leaf {
    const leaf = new Leaf(this, done);
    this.after(this.waitMs, false, leaf, failure(Status.TimedOut));
    return leaf;
  }

  #leaf(op: Of<"noop" | "timer" | "get" | "page" | "fetch">, done: Done, deadline: number): Leaf {
    if (op.op === "noop") return this.noop(done);
    const leaf = op.op === "timer" ? this.timer(op.ms, done) : this.#call(op, done);
    if (deadline && !leaf.settled) this.after(deadline, false, leaf, failure(Status.TimedOut));
    return leaf;
  }

  #call({ op, key, answers }: { op: string; key: number; answers: Answer[] }, done: Done): Leaf {
    const attempt = this.attempts.get(key) ?? 0;
    this.attempts.set(key, attempt + 1);
    const { ms, status } = answers[Math.min(attempt, answers.length - 1)]!;
    const leaf = new Leaf(this, done);
    this.after(ms, true, leaf, outcome(op, status, key * 100 + attempt));
    return leaf;
  }
}

function outcome(op: string, status: number, value: number): Result {
  if (op === "get") {
    if (status === 200) return ok({ value });
    return failure(status === 0 ? Status.RateLimited : Status.NotFound);
  }
  if (status === 0) return failure(Status.Network);
  return op === "page" ? ok({ auxiliary: status, value }) : ok({ auxiliary: status, body: true });
}

/** An operation of the host's. Its handler is called on the turn after it was settled; a cancel wins until then. */
class Leaf implements Running {
  settled = false;
  #told = false;
  isCancelled = false;

  constructor(
    private readonly model: Model,
    private done: Done,
  ) {}

  settle(result: Result): void {
    if (this.settled) return;
    this.settled = true;
    this.model.due(() => {
      this.#told = true;
      this.done(this.isCancelled ? failure(Status.Cancelled) : result);
    });
  }

  cancel(): void {
    if (this.#told) return;
    this.isCancelled = true;
    this.settle(failure(Status.Cancelled));
  }

  /** Nobody waits for it any more. */
  forget(): void {
    this.done = () => {};
    this.cancel();
  }
}

/** A composite: decides its outcome once, cancels the members that are left, and completes when all of them have. */
abstract class Flight<O extends Op = Op> implements Running {
  #phase: "new" | "running" | "decided" | "complete" | "over" = "new";
  #pending = 0;
  isCancelled = false;
  #outcome!: Result;
  #timer: Leaf | undefined;
  readonly #members = new Map<number, Running>();

  constructor(
    protected readonly model: Model,
    protected readonly op: O,
    private readonly done: Done,
    private readonly deadline: number,
  ) {}

  protected abstract start(): void;
  protected abstract member(index: number, result: Result): void;
  /** Nothing of it is in flight. */
  protected end(): void {}
  /** Its outcome was decided, and cancelled before the handler heard of it. */
  protected lost(): void {}

  /** Whether its start waits until the handler that submits has ended. */
  protected get runsCode(): boolean {
    return false;
  }

  begin(): this {
    if (this.runsCode) this.model.work(this);
    else this.#takeOff();
    return this;
  }

  #takeOff(): void {
    this.#phase = "running";
    if (this.deadline) this.#timer = this.model.timer(this.deadline, (result) => this.#expire(result));
    this.start();
    if (this.#pending === 0) this.#tick();
  }

  /** What has nothing to wait for completes on the next turn. */
  #tick(): void {
    this.#pending++;
    this.model.noop(() => this.#ended());
  }

  #expire(result: Result): void {
    this.#timer = undefined;
    if (this.#phase === "running") this.decide(failed(result) ? result : failure(Status.TimedOut));
  }

  protected run(index: number, start: (done: Done) => Running): void {
    this.#pending++;
    const done = (result: Result): void => {
      this.#members.delete(index);
      if (this.#phase === "running") this.member(index, result);
      this.#ended();
    };
    this.#members.set(index, start(done));
  }

  protected runOp(index: number, op: Op, deadline?: number): void {
    this.run(index, (done) => this.model.submit(op, done, deadline));
  }

  protected runTimer(index: number, ms: number): void {
    this.run(index, (done) => this.model.timer(ms, done));
  }

  protected stop(index: number): void {
    this.#members.get(index)?.cancel();
  }

  protected decide(result: Result): void {
    this.#phase = "decided";
    this.#outcome = result;
    for (const index of [...this.#members.keys()].toSorted((a, b) => a - b)) this.stop(index);
  }

  /** A result that something else takes the place of. */
  protected drop(result: Result): void {
    if (failed(result)) this.model.report("dropped", NAMES[this.op.op] ?? this.op.op, result);
  }

  #ended(): void {
    if (--this.#pending > 0) return;
    this.#phase = "complete";
    this.#timer?.forget();
    this.end();
    this.model.work(this);
  }

  cancel(): void {
    if (this.#phase === "over" || this.isCancelled) return;
    this.isCancelled = true;
    this.model.work(this);
  }

  get mayGoOn(): boolean {
    return this.#phase === "running" && !this.isCancelled;
  }

  /** Does what there is to do on this turn. */
  serve(): void {
    if (this.#phase === "complete") {
      this.#phase = "over";
      if (this.isCancelled) this.lost();
      this.done(this.isCancelled ? failure(Status.Cancelled) : this.#outcome);
    } else if (this.isCancelled) {
      if (this.#phase === "decided") return;
      this.decide(failure(Status.Cancelled));
      if (this.#pending === 0) this.#tick();
    } else if (this.#phase === "new") this.#takeOff();
  }
}

type Of<K extends Op["op"]> = Op & { op: K };

class GatherFlight extends Flight<Of<"gather" | "settled">> {
  readonly #results: Result[] = [];
  #left = this.op.of.length;

  protected start(): void {
    if (this.#left === 0) this.decide(ok());
    this.op.of.forEach((op, index) => this.runOp(index, op));
  }

  protected member(index: number, result: Result): void {
    if (failed(result) && this.op.op === "gather") return this.decide(result);
    this.#results[index] = result;
    if (--this.#left === 0) this.decide(ok({ list: this.#results }));
  }
}

class RaceFlight extends Flight<Of<"race" | "any">> {
  #left = this.op.of.length;

  protected start(): void {
    if (this.#left === 0) this.decide(failure(Status.Invalid));
    this.op.of.forEach((op, index) => this.runOp(index, op));
  }

  protected member(_: number, result: Result): void {
    if (this.op.op === "any" && failed(result) && --this.#left > 0) this.drop(result);
    else this.decide(result);
  }
}

class SequenceFlight extends Flight<Of<"sequence">> {
  readonly #results: Result[] = [];

  protected start(): void {
    const next = this.op.of[this.#results.length];
    if (next) this.runOp(this.#results.length, next);
    else this.decide(ok({ list: this.#results }));
  }

  protected member(_: number, result: Result): void {
    if (failed(result)) return this.decide(result);
    this.#results.push(result);
    this.start();
  }
}

class StepsFlight extends Flight<Of<"steps">> {
  #step = 0;

  protected override get runsCode(): boolean {
    return true;
  }

  protected start(): void {
    if (this.model.busy.has(this.op)) return this.decide(failure(Status.Invalid));
    this.model.busy.set(this.op, this);
    this.member(0, ok());
  }

  protected member(_: number, result: Result): void {
    if (failed(result)) return this.decide(result);
    const next = this.op.of[this.#step];
    if (next) this.#next(next);
    else this.decide(ok({ value: this.#step }));
  }

  #next(op: Op): void {
    this.#step++;
    this.runOp(0, op);
  }

  protected override end(): void {
    if (this.model.busy.get(this.op) === this) this.model.busy.delete(this.op);
  }
}

const TRANSIENT = new Set([Status.Again, Status.TimedOut, Status.Network, Status.Aborted, Status.RateLimited]);

function isRetryable({ badStatus }: Policy, result: Result): boolean {
  if (result.status === Status.Cancelled) return false;
  return badStatus ? failed(result) || result.auxiliary >= 500 : TRANSIENT.has(result.status);
}

class RetryFlight extends Flight<Of<"retry">> {
  #attempts = 0;

  protected start(): void {
    if (this.op.policy.attempts === 0) this.decide(failure(Status.Invalid));
    else this.#attempt();
  }

  #attempt(): void {
    this.#attempts++;
    const { of, policy } = this.op;
    // The sooner of the operation's own deadline and that of each attempt.
    const deadlines = [of.deadline ?? 0, policy.attempt].filter((ms) => ms > 0);
    this.runOp(0, of, deadlines.length > 0 ? Math.min(...deadlines) : 0);
  }

  protected member(index: number, result: Result): void {
    const { attempts, base, factor, cap } = this.op.policy;
    if (index === 1 && !failed(result)) return this.#attempt();
    if (index === 1 || this.#attempts === attempts || !isRetryable(this.op.policy, result)) return this.decide(result);
    this.drop(result);
    this.runTimer(1, Math.floor(Math.min(cap, base * factor ** (this.#attempts - 1))));
  }
}

class FallbackFlight extends Flight<Of<"fallback">> {
  protected start(): void {
    this.runOp(0, this.op.first);
  }

  protected member(index: number, result: Result): void {
    if (index === 1 || !failed(result)) return this.decide(result);
    this.drop(result);
    this.runOp(1, this.op.second);
  }
}

class HedgeFlight extends Flight<Of<"hedge">> {
  #hasSecond = false;
  #hasFailed = false;

  protected start(): void {
    this.runOp(0, this.op.first);
    this.runTimer(2, this.op.ms);
  }

  protected member(index: number, result: Result): void {
    if (index === 2) {
      if (!failed(result)) this.#startSecond();
    } else if (!failed(result) || this.#hasFailed) this.decide(result);
    else {
      this.#hasFailed = true;
      this.drop(result);
      this.stop(2);
      this.#startSecond();
    }
  }

  #startSecond(): void {
    if (this.#hasSecond) return;
    this.#hasSecond = true;
    this.runOp(1, this.op.second ?? this.op.first);
  }
}

class DelayFlight extends Flight<Of<"delay">> {
  protected start(): void {
    this.runTimer(0, this.op.ms);
  }

  protected member(index: number, result: Result): void {
    if (index === 1 || failed(result)) this.decide(result);
    else this.runOp(1, this.op.of);
  }
}

class MapFlight extends Flight<Of<"map" | "mapTrap">> {
  protected start(): void {
    this.runOp(0, this.op.of);
  }

  protected member(_: number, result: Result): void {
    this.decide(failed(result) ? result : ok({ value: result.auxiliary + 1 }));
  }
}

class EnsureFlight extends Flight<Of<"ensure">> {
  protected start(): void {
    this.runOp(0, this.op.of);
  }

  protected member(_: number, result: Result): void {
    const isBad = !failed(result) && result.auxiliary >= 500;
    this.decide(isBad ? failure(Status.Failed) : result);
  }
}

// Those that wait for each other.

/** One that may wait until another lets it go on. */
abstract class Waiting<O extends Op = Op> extends Flight<O> {
  protected isWoken = false;
  #wait: Leaf | undefined;

  protected wait(): void {
    this.run(0, (done) => (this.#wait = this.model.wait(done)));
  }

  wake(): void {
    this.isWoken = true;
    this.#wait!.settle(ok());
  }
}

/** Takes an item out of a list. False if it is not there. */
function remove<T>(list: T[], item: T): boolean {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
  return index >= 0;
}

class Gate {
  running = 0;
  readonly waiting: LimitFlight[] = [];

  constructor(
    readonly limit: number,
    readonly room: number,
  ) {}
}

class LimitFlight extends Waiting<Of<"limit">> {
  #isIn = false;
  readonly #gate = this.model.gates[this.op.gate]!;

  protected start(): void {
    const gate = this.#gate;
    if (gate.limit === 0) return this.decide(failure(Status.Invalid));
    this.#isIn = true;
    if (gate.running < gate.limit) {
      gate.running++;
      this.runOp(1, this.op.of);
    } else if (gate.waiting.length < gate.room) {
      gate.waiting.push(this);
      this.wait();
    } else {
      this.#isIn = false;
      this.decide(failure(Status.Again));
    }
  }

  protected member(index: number, result: Result): void {
    if (index === 0 && this.isWoken) this.runOp(1, this.op.of);
    else this.decide(result);
  }

  protected override end(): void {
    const gate = this.#gate;
    if (!this.#isIn || remove(gate.waiting, this)) return;
    const next = gate.waiting.shift();
    if (next) next.wake();
    else gate.running--;
  }
}

class ShareFlight extends Waiting<Of<"share">> {
  #leader: ShareFlight | undefined;
  #followers: ShareFlight[] = [];
  #result: Result | undefined;

  protected start(): void {
    const leader = this.model.leaders.get(this.op.key);
    if (leader) {
      this.#leader = leader;
      leader.#followers.push(this);
      this.wait();
    } else {
      this.model.leaders.set(this.op.key, this);
      this.runOp(1, this.op.of);
    }
  }

  protected member(index: number, result: Result): void {
    if (index === 1) return this.#announce(result);
    const shared = this.#leader && this.#leader.#result;
    if (!this.isWoken) this.decide(result);
    else if (shared) this.decide(hasBody(shared) ? failure(Status.NotSupported) : shared);
    else this.runOp(1, this.op.of);
  }

  #announce(result: Result): void {
    this.model.leaders.delete(this.op.key);
    this.#result = result;
    for (const follower of this.#followers.splice(0)) follower.wake();
    this.decide(result);
  }

  protected override end(): void {
    if (this.#leader) return void remove(this.#leader.#followers, this);
    if (this.#result || this.model.leaders.get(this.op.key) !== this) return;
    this.model.leaders.delete(this.op.key);
    const heir = this.#followers.shift();
    if (!heir) return;
    heir.#leader = undefined;
    heir.#followers = this.#followers;
    for (const follower of heir.#followers) follower.#leader = heir;
    this.model.leaders.set(this.op.key, heir);
    heir.wake();
  }
}

/** A value that a channel has taken, as the how manieth. */
interface Sent {
  readonly value: number;
  readonly order: number;
}

class Channel {
  values: Sent[] = [];
  senders: SendFlight[] = [];
  receivers: ReceiveFlight[] = [];
  closed = false;
  #taken = 0;

  constructor(readonly capacity: number) {}

  sent(value: number): Sent {
    return { value, order: this.#taken++ };
  }

  close(): void {
    this.closed = true;
    for (const flight of this.senders.splice(0)) flight.wake();
    for (const flight of this.receivers.splice(0)) flight.wake();
  }

  putBack(sent: Sent): void {
    const receiver = this.takeReceiver();
    if (receiver) receiver.give(sent);
    else this.values = [...this.values, sent].toSorted((a, b) => a.order - b.order);
  }

  // The first that is not over before it could go on.

  takeSender(): SendFlight | undefined {
    let sender = this.senders.shift();
    while (sender && !sender.mayGoOn) sender = this.senders.shift();
    return sender;
  }

  takeReceiver(): ReceiveFlight | undefined {
    let receiver = this.receivers.shift();
    while (receiver && !receiver.mayGoOn) receiver = this.receivers.shift();
    return receiver;
  }
}

class SendFlight extends Waiting<Of<"send">> {
  isTaken = false;
  readonly #channel = this.model.channels[this.op.channel]!;

  protected start(): void {
    const channel = this.#channel;
    const receiver = channel.closed ? undefined : channel.takeReceiver();
    if (channel.closed) return this.decide(failure(Status.Closed));
    if (receiver) receiver.give(channel.sent(this.op.value));
    else if (channel.values.length < channel.capacity) channel.values.push(channel.sent(this.op.value));
    else return this.#join();
    this.decide(ok());
  }

  #join(): void {
    this.#channel.senders.push(this);
    this.wait();
  }

  protected member(_: number, result: Result): void {
    if (this.isTaken) this.decide(ok());
    else this.decide(this.isWoken ? failure(Status.Closed) : result);
  }

  protected override end(): void {
    remove(this.#channel.senders, this);
  }

  get value(): number {
    return this.op.value;
  }
}

class ReceiveFlight extends Waiting<Of<"receive">> {
  /** A value that is on its way here, until the outcome is decided. */
  #given: Sent | undefined;
  #taken: Sent | undefined;
  readonly #channel = this.model.channels[this.op.channel]!;

  protected start(): void {
    const channel = this.#channel;
    const sender = channel.takeSender();
    if (sender) {
      channel.values.push(channel.sent(sender.value));
      sender.isTaken = true;
      sender.wake();
    }
    if (channel.values.length > 0) this.#take(channel.values.shift()!);
    else if (channel.closed) this.decide(failure(Status.Closed));
    else this.#join();
  }

  #join(): void {
    this.#channel.receivers.push(this);
    this.wait();
  }

  give(sent: Sent): void {
    this.#given = sent;
    this.wake();
  }

  #take(sent: Sent): void {
    this.#given = undefined;
    this.#taken = sent;
    this.decide(ok({ value: sent.value }));
  }

  protected member(_: number, result: Result): void {
    if (this.#given !== undefined) this.#take(this.#given);
    else this.decide(this.isWoken ? failure(Status.Closed) : result);
  }

  protected override end(): void {
    remove(this.#channel.receivers, this);
    if (this.#given !== undefined) this.#channel.putBack(this.#given);
  }

  protected override lost(): void {
    if (this.#taken !== undefined) this.#channel.putBack(this.#taken);
  }
}

class Scope {
  cancelled = false;
  /** The youngest first. */
  readonly flights: WithinFlight[] = [];
  readonly joining: JoinFlight[] = [];

  cancel(): void {
    this.cancelled = true;
    for (const flight of this.flights) flight.cancel();
  }
}

class WithinFlight extends Flight<Of<"within">> {
  readonly #scope = this.model.scope(this.op.scope);

  protected start(): void {
    if (this.#scope.cancelled) return this.decide(failure(Status.Cancelled));
    this.#scope.flights.unshift(this);
    this.runOp(0, this.op.of);
  }

  protected member(_: number, result: Result): void {
    this.decide(result);
  }

  protected override end(): void {
    const { flights, joining } = this.#scope;
    if (remove(flights, this) && flights.length === 0) for (const join of joining.splice(0)) join.wake();
  }
}

class JoinFlight extends Waiting<Of<"join">> {
  readonly #scope = this.model.scope(this.op.scope);

  protected start(): void {
    if (this.#scope.flights.length === 0) return this.decide(ok());
    this.#scope.joining.push(this);
    this.wait();
  }

  protected member(_: number, result: Result): void {
    this.decide(this.isWoken ? ok() : result);
  }

  protected override end(): void {
    remove(this.#scope.joining, this);
  }
}

type Make = new (model: Model, op: never, done: Done, deadline: number) => Flight;

const FLIGHTS: Record<Exclude<Op["op"], "noop" | "timer" | "get" | "page" | "fetch">, Make> = {
  gather: GatherFlight,
  settled: GatherFlight,
  race: RaceFlight,
  any: RaceFlight,
  sequence: SequenceFlight,
  steps: StepsFlight,
  retry: RetryFlight,
  fallback: FallbackFlight,
  hedge: HedgeFlight,
  delay: DelayFlight,
  map: MapFlight,
  mapTrap: MapFlight,
  ensure: EnsureFlight,
  limit: LimitFlight,
  share: ShareFlight,
  send: SendFlight,
  receive: ReceiveFlight,
  within: WithinFlight,
  join: JoinFlight,
};
