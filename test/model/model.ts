// Model: what guest and host promise, as plainly as it can be said.
//
// It performs nothing. It is told what happens outside (a request comes, a call is answered, a timer fires, the platform
// kills a request), and it hears every word at the border: each `submit`, each `poll`, each call of a handler. The first
// decides what the second must be; the first word that is otherwise is a Divergence, which names the promise.

import { CancelResult, MORE, RECLAIM, Status, TIMER_MS_MAX } from "../../assembly/abi.ts";
import { newCounters } from "../../src/host.ts";
import type { Shutdown } from "../../src/index.ts";
import { Instance, NO_BYTES, Operation, Resource, must } from "./books.ts";
import type { Completion, Context, Seen, Submitted } from "./books.ts";
import { GuestModel, compare } from "./guest-model.ts";
import type { Action, OperationKind, Settings, What } from "./script.ts";

/** A token and a resource that nobody has. */
const NO_TOKEN = "40000:7";
const NO_RESOURCE = 999_999;
/** What is answered once the host shuts down. */
const SHUT_DOWN = "503 shutdown";

export class Model {
  readonly counters = newCounters();
  readonly instances: Instance[] = [];
  readonly contexts: Context[] = [];
  readonly operations = new Map<number, Operation>();
  /** What outside can answer. */
  readonly calls = new Set<Operation>();
  /** Bodies that somebody has to read or to let go of: a resource, or the operation that reads it. */
  readonly openBodies = new Set<Resource | Operation>();
  /** Fetches whose upstream has seen the abort. */
  aborted = 0;
  /** What `onError` must have been told since the last look. */
  reports: string[] = [];
  #shutdown: Shutdown | undefined;
  #lastNumber = 1;

  constructor(
    readonly settings: Settings,
    readonly now: () => number,
  ) {}

  // Requests and instances.

  /** The host makes an instance. Its guest submits an accept. */
  instantiate(): Instance {
    must("G13", !this.#shutdown, () => "an instance was made after the shutdown");
    must("G9", !this.instances.some((instance) => this.#canServe(instance)), () => "there was an instance already");
    const instance = new Instance(new GuestModel());
    this.instances.push(instance);
    this.counters.instances++;
    this.counters.instantiated++;
    instance.guest.prepare(instance.accept);
    return instance;
  }

  /** Whether a new request may have it. */
  #canServe({ retired, contexts, served }: Instance): boolean {
    if (retired) return false;
    if (this.settings.isolation === "shared") return true;
    return this.settings.isolation === "pooled" ? contexts.size === 0 : served === 0;
  }

  granted(instance: Instance, number: number): void {
    instance.grants.push(number);
    instance.resources++;
  }

  open(context: Context): void {
    this.contexts.push(context);
    if (!this.#shutdown) return void this.counters.contexts++;
    context.live = false;
    context.answer = SHUT_DOWN;
  }

  /** G13: the accept ends. Graceful: what is in flight completes. Now: each request has one more turn. */
  shutdown(mode: Shutdown): void {
    if (!this.#shutdown)
      for (const instance of this.instances.filter(({ retired }) => !retired)) {
        if (instance.contexts.size === 0) this.#retire(instance);
        const ended = { status: Status.ShutDown, payload: undefined, run: instance.runs };
        instance.pending.push({ operation: instance.accept, flags: 0, resource: undefined, auxiliary: 0, ...ended });
      }
    if (this.#shutdown !== "now") this.#shutdown = mode;
  }

  /** The request joins the instance that the host has chosen. */
  #join(context: Context, instance: Instance): void {
    must("G9", this.#canServe(instance), () => `${context.title} got an instance that cannot serve it`);
    context.instance = instance;
    instance.contexts.add(context);
    instance.served++;
    instance.resources++;
    const { exchange: resource, head: payload } = context;
    const come = { flags: MORE, status: Status.Ok, auxiliary: 1, run: 0 };
    context.pending.push({ operation: instance.accept, resource, payload, ...come });
  }

  /** No reaction and no timer of this request ever runs again, and nobody is told. */
  kill(context: Context): void {
    context.killed = true;
    for (const operation of this.calls) if (operation.context === context) this.calls.delete(operation);
  }

  /** The host has found out. */
  buried(title: string): void {
    const context = this.contexts.find((context) => context.title === title);
    must("G19", context?.live === true && context.killed, () => `${title} lives, and was taken for dead`);
    this.counters.killed++;
    this.#end(context, "500 killed");
  }

  /** What a request had in flight ends without a handler. In a shared instance completions give its slots back. */
  #end(context: Context, answer: string): void {
    const instance = context.instance!;
    const { flying, pending, resources } = context;
    const orphans = [...flying, ...pending.filter(({ flags }) => !(flags & MORE)).map(({ operation }) => operation)];
    context.live = false;
    context.answer ??= answer;
    this.counters.contexts--;
    instance.contexts.delete(context);
    instance.resources -= resources.size;
    for (const operation of flying) this.#abandon(operation);
    // Nothing may touch the I/O of one that was killed: its own stack is gone.
    if (!context.killed) for (const resource of resources) if (!resource.taken) this.openBodies.delete(resource);
    const { isolation } = this.settings;
    const isUseless = this.#shutdown || isolation === "request" || (isolation === "pooled" && orphans.length > 0);
    if (isUseless && instance.contexts.size === 0) this.#retire(instance);
    const reclaim = { flags: RECLAIM, status: Status.ShutDown, resource: undefined, payload: NO_BYTES, auxiliary: 0 };
    for (const operation of orphans) instance.pending.push({ operation, ...reclaim, run: instance.runs });
    flying.clear();
    pending.length = 0;
  }

  #abandon(operation: Operation): void {
    const { context, bytes } = operation;
    operation.place = "over";
    context!.instance!.heldBytes -= bytes;
    if (!context!.killed) this.#abort(operation);
  }

  #retire(instance: Instance): void {
    if (instance.retired) return;
    instance.retired = true;
    this.counters.instances--;
    this.counters.inFlight -= instance.admitted;
  }

  // Submissions.

  /** A handler submits an operation. */
  prepare(instance: Instance, action: Action): Operation {
    const kind = action.do as OperationKind;
    const answered = kind === "stream" ? "exchange" : kind === "respond" ? (action.what ?? "exchange") : action.what;
    const operation = new Operation(
      ++this.#lastNumber,
      kind,
      action,
      instance.running,
      resourceOf(instance, answered),
      kind === "stream" ? resourceOf(instance, action.what) : 0,
      kind === "end" ? tokenOf(instance, action) : "",
    );
    this.operations.set(operation.number, operation);
    instance.guest.prepare(operation);
    return operation;
  }

  /** A call of `submit`: returns how many must be admitted. */
  submitted(instance: Instance, stack: Context | undefined, submissions: readonly Submitted[]): number {
    const { guest, running, runs } = instance;
    // While it starts it is nobody's, whoever needs it.
    must("G19", runs === 0 || stack === running, () => `submitted on the stack of ${stack?.title}`);
    guest.allDispatched(running);
    for (const [index, submission] of submissions.entries()) {
      const operation = guest.handedOver(submission);
      if (this.#admit(instance, operation)) continue;
      this.counters.refused++;
      guest.refused.push(operation);
      // G21: nobody else hears of it. A cancel that comes too late is no loss.
      if (operation.detached && operation.kind !== "end") this.#report("unhandled", running!, operation, Status.Again);
      return index;
    }
    return submissions.length;
  }

  /** G4: over a limit nothing changes, except by what makes room. */
  #admit(instance: Instance, operation: Operation): boolean {
    const { inFlight, argumentBytes } = this.settings;
    const { bytes } = operation;
    const isTooMuch = bytes <= argumentBytes && instance.heldBytes + bytes > argumentBytes;
    const wrong = this.#wrong(instance, operation);
    if (instance.admitted >= inFlight || isTooMuch) if (wrong !== Status.Ok || !makesRoom(operation)) return false;
    instance.admitted++;
    instance.heldBytes += bytes;
    this.counters.inFlight++;
    operation.place = "flying";
    operation.context?.flying.add(operation);
    if (wrong !== Status.Ok) this.#finish(operation, wrong);
    else this.#start(operation);
    return true;
  }

  /** What is wrong with a submission; Ok if nothing is. */
  #wrong(instance: Instance, { kind, action, bytes, context, on, from }: Operation): Status {
    const resource = context?.resource(on);
    if (bytes > this.settings.argumentBytes) return Status.TooBig;
    // What ends something is welcome.
    if (this.#shutdown && !["end", "close", "respond", "stream"].includes(kind)) return Status.ShutDown;
    switch (kind) {
      case "timer":
        return (action.ms ?? 0) > TIMER_MS_MAX ? Status.Invalid : Status.Ok;
      case "fetch":
        return instance.resources >= this.settings.resources ? Status.Again : Status.Ok;
      case "close":
        if (instance.grants.includes(on)) return Status.NotPermitted;
        return resource ? Status.Ok : Status.BadResource;
      case "read":
        return canTake(resource);
      case "respond":
      case "stream":
        if (resource?.kind !== "exchange") return Status.BadResource;
        if (context!.answer !== undefined) return Status.Closed;
        return kind === "respond" ? Status.Ok : canTake(context!.resource(from));
      default:
        return Status.Ok;
    }
  }

  /** Starts what nothing is wrong with. */
  #start(operation: Operation): void {
    const { kind, context, on, from } = operation;
    switch (kind) {
      case "accept":
        return;
      case "noop":
        return this.#finish(operation, Status.Ok);
      case "end":
        return this.#cancel(operation);
      case "close":
        this.#close(context!, context!.resource(on)!);
        return this.#finish(operation, Status.Ok);
      case "respond":
        context!.answer = `200 ${operation.number}`;
        return this.#finish(operation, Status.Ok);
      case "stream":
        context!.answer = "201";
        // Whoever gets the answer lets go of it.
        this.openBodies.delete(take(context!.resource(from)!));
        return this.#finish(operation, Status.Ok);
      case "read":
        operation.source = take(context!.resource(on)!);
        this.#await(operation, "body");
        break;
      case "timer":
        break;
      default:
        this.#connect(operation, context!);
    }
    this.#setDeadline(operation);
  }

  /** Of a timer and its deadline the earlier counts, and at the same time the timer. */
  #setDeadline(operation: Operation): void {
    const { ms = 0, within = 0 } = operation.action;
    const isTimer = operation.kind === "timer";
    if (within > 0) operation.due = this.now() + within;
    if (!isTimer || this.now() + ms > operation.due) return;
    operation.due = this.now() + ms;
    operation.dueStatus = Status.Ok;
  }

  #cancel(operation: Operation): void {
    const found = operation.context!.inFlight(operation.victim);
    if (found) this.#endOperation(found, Status.Cancelled);
    this.#finish(operation, Status.Ok, { auxiliary: found ? CancelResult.Won : CancelResult.TooLate });
  }

  #close(context: Context, resource: Resource): void {
    for (const operation of context.flying)
      if (operation.source === resource) this.#endOperation(operation, Status.Cancelled);
    context.resources.delete(resource);
    context.closed.push(resource.number);
    context.instance!.resources--;
    if (!resource.taken) this.openBodies.delete(resource);
  }

  // Calls: what waits for outside.

  /** At most so many calls of one context have a connection; others wait, in order. */
  #connect(operation: Operation, { connected, waiting }: Context): void {
    if (connected.size >= this.settings.connections) {
      waiting.push(operation);
      operation.call = "waiting";
    } else {
      connected.add(operation);
      operation.begins = true;
      this.#await(operation, "started");
    }
  }

  /** Outside can answer it from now on. */
  #await(operation: Operation, call: "started" | "body"): void {
    operation.call = call;
    this.calls.add(operation);
  }

  /** Outside sees a call. */
  started(number: number, stack: Context | undefined): void {
    const operation = this.operations.get(number)!;
    must("G19", operation.context === stack, () => `${operation} was started on the stack of ${stack?.title}`);
    must("G7", operation.begins, () => `${operation} was started, and must not be`);
    operation.begins = false;
    if (operation.call === "granted") this.#await(operation, "started");
  }

  /** A call is over. Its connection goes to whoever waits first. */
  released(number: number): void {
    const operation = this.operations.get(number)!;
    const { connected, waiting } = operation.context!;
    connected.delete(operation);
    const next = waiting.shift();
    if (!next) return;
    connected.add(next);
    next.call = "granted";
    next.begins = true;
  }

  /** Outside answers, or sends the rest of a body. Returns the body that the guest gets, if it gets one. */
  settle(operation: Operation, status: Status, payload: Uint8Array | undefined): Resource | undefined {
    const { call, kind, context } = operation;
    const hasCome = operation.isHttp && status === Status.Ok;
    this.calls.delete(operation);
    operation.call = "none";
    // G8: what comes late is disposed of, and counted.
    if (operation.place !== "flying") return void this.counters.late++;
    if (kind === "page" && call === "started" && hasCome) {
      this.openBodies.add(operation);
      return void this.#await(operation, "body");
    }
    this.openBodies.delete(operation.source ?? operation);
    const resource = kind === "fetch" && hasCome ? this.#newBody(context!) : undefined;
    this.#finish(operation, status, { resource, payload, auxiliary: hasCome ? 200 : 0 });
    return resource;
  }

  #newBody(context: Context): Resource {
    const body = new Resource("body");
    context.resources.add(body);
    context.instance!.resources++;
    this.openBodies.add(body);
    return body;
  }

  /** The work itself is aborted. KV calls cannot be, and an upstream may not listen: these end when they like. */
  #abort(operation: Operation): void {
    const { call, context, isHttp } = operation;
    if (call === "none") return;
    if (isHttp && (call === "started" || call === "body")) this.aborted++;
    if (call === "started" && (!isHttp || this.settings.ignoresAbort)) return;
    if (call === "waiting") context!.waiting.splice(context!.waiting.indexOf(operation), 1);
    // Its turn has just come, and must not be used.
    if (call === "granted") operation.begins = false;
    this.openBodies.delete(operation.source ?? operation);
    this.calls.delete(operation);
    operation.call = "none";
    this.counters.late++;
  }

  // Completions.

  /** G3: the one final completion is decided. */
  #finish(operation: Operation, status: Status, result: Partial<Completion> = {}): void {
    const { context, detached } = operation;
    const instance = context!.instance!;
    operation.place = "over";
    context!.flying.delete(operation);
    instance.heldBytes -= operation.bytes;
    const { resource, auxiliary = 0 } = result;
    const payload = status < 0 ? undefined : (result.payload ?? NO_BYTES);
    context!.pending.push({ operation, flags: 0, status, resource, payload, auxiliary, run: instance.runs });
    // G21: nobody else will hear of it.
    if (detached && status < 0) this.#report("unhandled", context!, operation, status);
  }

  /** Ends an operation from outside, and its work with it. */
  #endOperation(operation: Operation, status: Status): void {
    this.#finish(operation, status);
    this.#abort(operation);
  }

  /** The platform's timer of this context fires. G10: by due time, ties by submission. */
  timerFires({ flying }: Context): void {
    const due = [...flying].filter((operation) => operation.due <= this.now());
    for (const operation of due.toSorted((a, b) => a.due - b.due)) {
      if (operation.dueStatus === Status.Ok) this.#finish(operation, Status.Ok);
      else this.#endOperation(operation, Status.TimedOut);
    }
  }

  /** Whether the context's one real timer must be armed. */
  isTimed({ live, flying }: Context): boolean {
    return live && [...flying].some(({ due }) => due < Infinity);
  }

  // Runs.

  /** The host calls `run`. */
  run(instance: Instance, stack: Context | undefined): void {
    must("G19", stack?.live === true && !stack.killed, () => `a turn of ${stack?.title}, which is over`);
    if (!stack.instance) this.#join(stack, instance);
    must("G19", stack.instance === instance, () => `${stack.title} ran in another's instance`);
    must("G2", !instance.running, () => "run was called inside run");
    must("G11", stack.runsOnStack++ < this.settings.runs, () => `${stack.title} ran too often on one stack`);
    instance.running = stack;
    if (this.#shutdown === "now") for (const operation of stack.flying) this.#endOperation(operation, Status.ShutDown);
    instance.runs++;
    instance.taken = instance.spent = 0;
    instance.guest.refusing = false;
  }

  /** A call of `poll` has given these out. G10: in the order in which they were queued, the instance's first. */
  polled(instance: Instance, completions: readonly Seen[]): void {
    const context = instance.running!;
    for (const seen of completions) {
      const next = (instance.pending.length > 0 ? instance.pending : context.pending).shift();
      must(this.#blame(context, seen), next?.operation.token === seen.token, () => {
        return `poll gave out ${seen.token} with ${seen.status} instead of ${next?.operation ?? "nothing"}`;
      });
      must("G11", next!.run < instance.runs, () => `${next!.operation} was polled in the run that queued it`);
      if (next!.resource) this.#received(instance, next!.resource, seen.resource);
      compare("G3", next!, seen);
      this.spend(instance);
      instance.taken++;
      instance.guest.polled.push(next!);
      context.last = next;
      this.#delivered(instance, next!);
    }
  }

  /** A call of `poll` has used one of the run's budget. */
  spend(instance: Instance): void {
    must("G11", ++instance.spent <= this.settings.budget, () => "one run got more than its budget");
  }

  #received(instance: Instance, resource: Resource, number: number): void {
    must("G7", !instance.resourceNumbers.has(number), () => `resource ${number} was given out twice`);
    instance.resourceNumbers.add(number);
    resource.number = number;
  }

  #delivered(instance: Instance, { flags }: Completion): void {
    if (flags & MORE) return;
    instance.admitted--;
    this.counters.inFlight--;
    if (flags & RECLAIM) this.counters.reclaimed++;
    else this.counters.completed++;
  }

  /** Which promise a completion breaks that should not come now. */
  #blame(context: Context, { token, status }: Seen): string {
    const operation = context.instance!.guest.operations.find((operation) => operation.token === token);
    if (operation && operation.context !== context) return "G19";
    if (status === Status.TimedOut) return "G12";
    return operation ? "G10" : "G3";
  }

  /** A handler is called. Returns what it does. */
  entered(instance: Instance, number: number, seen: Seen, claimed: number, stale: number): readonly Action[] {
    const { operation, flags } = instance.guest.entered(instance.running, number, seen, claimed, stale);
    if (flags & MORE) return instance.running!.steps;
    const { again = 0 } = operation.action;
    const anew = again > 0 ? [{ ...operation.action, again: again - 1 } as Action] : [];
    return [...anew, ...operation.handler];
  }

  /** The run has returned. */
  ran(instance: Instance, result: number): void {
    const { guest, taken, spent, pending } = instance;
    const context = instance.running!;
    const lost = guest.nextHandler(context);
    must("G3", !lost, () => `the handler of ${lost?.operation} was not called`);
    must("G3", guest.prepared.length === 0, () => `${guest.prepared[0]} was not handed over`);
    must("G11", result === taken && spent > 0, () => `run returned ${result}, and took ${taken}`);
    instance.running = undefined;
    const isDue = pending.length + context.pending.length > 0;
    const isLast = this.#shutdown === "now" && (!isDue || context.runsOnStack === this.settings.runs);
    if (!isLast && (isDue || context.flying.size > 0)) return;
    // Nothing will come any more.
    if (context.answer === undefined && !this.#shutdown) this.#report("unanswered", context, context.last!.operation);
    this.#end(context, this.#shutdown ? SHUT_DOWN : "500 unanswered");
  }

  /** The run ended in a trap, as it was told to. G9: it costs what isolation says. */
  trapped(instance: Instance, isAbort: boolean): void {
    const { guest, running, contexts } = instance;
    // A handler that hears of a refusal answers no completion of the host's, so nobody knows its name.
    this.#report("trap", running!, guest.refusing ? undefined : guest.handling!.operation);
    this.counters.traps++;
    instance.traps++;
    instance.running = undefined;
    guest.recover();
    const { isolation, traps } = this.settings;
    const isContained = isolation === "shared" && isAbort && instance.traps < traps;
    if (!isContained) this.#retire(instance);
    this.#end(running!, "500 trap");
    if (!isContained) for (const other of contexts) this.#end(other, "500 condemned");
  }

  #report(kind: string, { title }: Context, operation?: Operation, status?: Status): void {
    this.reports.push(reportText(kind, title, operation && OPERATION_NAMES[operation.kind], operation?.token, status));
  }

  // What must hold while nothing happens.

  /** What has come was delivered, and what is due has come. */
  rest(): void {
    const unseen = [...this.calls].find(({ begins }) => begins);
    must("G3", !unseen, () => `${unseen} was never started`);
    for (const context of this.contexts.filter(({ live, killed }) => live && !killed)) {
      const { title, pending, flying, waiting, connected } = context;
      const late = [...flying].find(({ due }) => due <= this.now());
      const isBusy = connected.size === this.settings.connections;
      must("G13", this.#shutdown !== "now", () => `${title} has survived the shutdown`);
      must("G3", pending.length === 0, () => `${title} was not told of ${pending[0]!.operation}`);
      must("G3", flying.size > 0, () => `${title} waits for nothing, and has not ended`);
      must("G11", waiting.length === 0 || isBusy, () => `${waiting[0]} waits, and a connection is free`);
      must("G12", !late, () => `${late} was due at ${late!.due}, and it is ${this.now()}`);
    }
  }

  /** After everything has ended: an idle instance holds its accept and its grants. */
  end(): void {
    must("G3", this.counters.contexts === 0, () => `${this.counters.contexts} requests have not ended`);
    for (const { admitted, heldBytes, resources, grants, guest } of this.instances.filter(({ retired }) => !retired)) {
      const left = [admitted - 1, guest.claimed - 1, heldBytes, resources - grants.length].join();
      must("G4", left === "0,0,0,0", () => `an idle instance has left: ${left}`);
    }
  }
}

/** As the host's reports name them. */
const OPERATION_NAMES: Record<OperationKind | "accept", string> = {
  noop: "noop",
  timer: "timer",
  get: "kv.get",
  put: "kv.put",
  delete: "kv.delete",
  list: "kv.list",
  fetch: "fetch",
  page: "fetch",
  read: "read",
  close: "close",
  respond: "respond",
  stream: "respond",
  end: "cancel",
  accept: "accept",
};

/** What `onError` is told, without the words for people. */
export const reportText = (...words: unknown[]): string => words.map((word) => word ?? "-").join(" ");

function makesRoom({ kind, context, victim }: Operation): boolean {
  if (kind === "end") return context!.inFlight(victim) !== undefined;
  return kind === "close" || kind === "respond" || kind === "stream";
}

function canTake(resource: Resource | undefined): Status {
  if (!resource) return Status.BadResource;
  return resource.taken ? Status.Closed : Status.Ok;
}

function take(resource: Resource): Resource {
  resource.taken = true;
  return resource;
}

/** The token that a script means. */
export function tokenOf({ guest, running }: Instance, { whose = "live", nth = 0 }: Action): string {
  const tokens = {
    live: guest.operations.filter(({ context }) => context === running).map(({ token }) => token),
    foreign: guest.operations.filter(({ context }) => context !== running).map(({ token }) => token),
    over: guest.spentTokens,
    nobody: [],
  };
  return tokens[whose].at(-1 - nth) ?? NO_TOKEN;
}

/** The number of the resource that a script means. */
function resourceOf({ running, contexts, grants }: Instance, what: What = "nothing"): number {
  const { exchange, resources, closed } = running!;
  const numbers = {
    exchange: [exchange.number],
    body: [...resources].filter(({ kind }) => kind === "body").map(({ number }) => number),
    foreign: [...contexts].filter((context) => context !== running).map(({ exchange }) => exchange.number),
    closed,
    grant: grants,
    nothing: [],
  };
  return numbers[what].findLast((number) => number > 0) ?? NO_RESOURCE;
}
