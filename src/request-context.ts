// Request context: one incoming request, from its accept to its response and the end of what it started.
//
// It is quiet when nothing is in flight and nothing is pending. Quiet after the response is the end; quiet before it
// would be a request that never ends, and is answered 500 at once. Whatever another context has to tell this one only
// resolves a promise, its call: the reaction runs on this context's own stack, where its I/O may be touched.

import { EventKind, MORE, Opcode, Status } from "../assembly/abi.ts";
import { Completion, DONE } from "./completion.ts";
import type { Named } from "./completion.ts";
import { Context } from "./context.ts";
import { deferred } from "./deferred.ts";
import type { Deferred } from "./deferred.ts";
import { messageOf } from "./failure.ts";
import type { Host } from "./host.ts";
import type { Instance } from "./instance.ts";
import type { Operation } from "./operation.ts";
import { encodeHead } from "./pairs.ts";
import { handlerOf, nameOf } from "./processors.ts";
import { SHUT_DOWN, UNEXPECTED, failureResponse } from "./report.ts";
import type { ContextFailure } from "./report.ts";
import { Exchange } from "./resource.ts";

/** The platform's `ctx`: keeps the event alive after its response. */
export interface Lifetime {
  waitUntil(promise: Promise<unknown>): void;
}

/** Microtasks that a turn waits, because what settles at one moment comes through promises of unequal depth. */
const SETTLING_MICROTASKS = 6;

export class RequestContext extends Context {
  /** Fibers that run after this turn. */
  fibers = 0;
  /** By what the guest is told that fibers that let others go first will not go on. */
  parked: Set<() => void> | undefined;
  /** Signs of life: grows with each turn and each call that is heard. */
  signs = 0;
  /** Whether it is over: nothing of it is delivered any more. */
  ended = false;
  readonly #exchange: Exchange;
  #failure: ContextFailure | undefined;
  #scheduled = false;
  /** Whether its fibers have been told that all they wait for has ended. */
  #isToldLast = false;
  /** Gives the platform the response that it waits for. */
  #answer: (() => void) | undefined;
  /** Tells the platform that nothing is left to wait for. */
  #finish: (() => void) | undefined;
  #call: Deferred | undefined;
  /** Waits that another context has woken. */
  #woken: Operation[] | undefined;

  constructor(host: Host, instance: Instance, request: Request) {
    super(host, instance);
    this.#exchange = new Exchange(request);
    instance.contexts++;
  }

  override get title(): string {
    const { method, url } = this.#exchange.message;
    return `${method} ${url}`;
  }

  // From the request to the response.

  /** Delivers the request as a completion of the instance's accept, and the guest's answer as a response. */
  handle(lifetime: Lifetime | undefined): Response | Promise<Response> {
    this.#accept();
    if (this.#isAnswered()) return this.#conclude(lifetime);
    return new Promise((resolve) => {
      this.#answer = () => {
        try {
          resolve(this.#conclude(lifetime));
        } catch (error) {
          resolve(this.#unexpected(error)); // The platform refuses to wait.
        }
      };
    });
  }

  #isAnswered(): boolean {
    return this.#exchange.answered || this.#failure !== undefined;
  }

  #accept(): void {
    const accept = this.instance.accept;
    if (!accept || accept.settled) return this.#giveUp("The module accepts no requests: call serve() while it starts.");
    const resource = this.addResource(this.#exchange);
    const head = encodeHead(this.#exchange.message, this.instance.wantsHeaders);
    this.pending.push(accept, new Completion(Status.Ok, head, resource, EventKind.Fetch, MORE));
    this.turn();
  }

  #conclude(lifetime: Lifetime | undefined): Response {
    if (!this.ended) lifetime?.waitUntil(new Promise<void>((resolve) => (this.#finish = resolve)));
    return this.#exchange.takeResponse() ?? failureResponse(this.#failure!);
  }

  /** Tells the platform what there is to tell. On this context's own stack. */
  #tell(): void {
    if (this.#answer && this.#isAnswered()) {
      this.#answer();
      this.#answer = undefined;
    }
    if (!this.ended) return;
    this.letGo();
    this.#finish?.();
  }

  // Turns.

  /** All that settles in one microtask checkpoint is delivered by one turn. */
  override wake(): void {
    if (this.#scheduled || this.ended || this.instance.current === this) return;
    this.#scheduled = true;
    void this.#settle();
  }

  /** By promises alone: workerd wraps each callback of queueMicrotask, which takes it 2 µs. */
  async #settle(): Promise<void> {
    for (let waited = 0; waited < SETTLING_MICROTASKS; waited++) await undefined;
    this.turn();
  }

  turn(): void {
    this.#scheduled = false;
    this.signs++;
    try {
      if (!this.ended) this.#run();
    } catch (cause) {
      this.#unexpected(cause); // On a timer's or a promise's stack nobody else could answer.
    }
    this.#tell();
  }

  /** The response when the host itself has failed. */
  #unexpected(cause: unknown): Response {
    this.report({ kind: "unexpected", message: messageOf(cause), cause });
    this.fail(UNEXPECTED);
    return failureResponse(UNEXPECTED);
  }

  #run(): void {
    const isLast = this.host.shutdownMode === "now";
    if (isLast) for (const operation of this.inFlight.items()) operation.end(Status.ShutDown, SHUT_DOWN.detail);
    const trap = this.instance.run(this);
    if (this.ended) return;
    if (trap) return this.host.trapped(this, trap);
    // Fibers hear of it after this turn; the turn in which they have is the last.
    if (isLast && (this.fibers === 0 || this.#isToldLast)) return this.fail(SHUT_DOWN);
    this.#isToldLast = isLast;
    if (this.due > 0) this.#yield();
    else if (!this.inFlight.first && this.fibers === 0) return this.#fallSilent();
    this.#expectCall();
  }

  /** A turn delivers what belongs to no request too. */
  override get due(): number {
    return this.pending.length + this.instance.context.pending.length;
  }

  /** Lets other events of the platform go first; the context's timer comes back to its own stack. */
  #yield(): void {
    this.#scheduled = true;
    this.deadlines.add(0, () => this.turn());
  }

  #fallSilent(): void {
    if (this.#exchange.answered) return this.#end();
    if (this.host.shutdownMode) return this.fail(SHUT_DOWN);
    const { last, failure } = this.instance.queue;
    // In a shared instance, others may have taken what this turn was for, and their own last poll nothing.
    if (!last) return this.#giveUp("No handler ran.");
    if (last.opcode === Opcode.Respond && failure)
      return this.#giveUp("The answer was refused, and no other came.", last, failure.payload);
    this.#giveUp(
      `The handler of ${nameOf(last)} ran last and started nothing: answer with exchange.respond() on every path.`,
      last,
    );
  }

  /** Answers at once what would never be answered. Why is for the owner alone: it may quote what the guest sent. */
  #giveUp(detail: string, last?: Named, why?: Uint8Array): void {
    const message = why ? `${detail} ${new TextDecoder().decode(why)}` : detail;
    this.report({ kind: "unanswered", message, ...handlerOf(last) });
    this.fail({ error: "unanswered", detail });
  }

  // Calls. The platform may end a request without a word: no `finally` runs, promises are dropped. Then its call has no
  // reaction any more, and it gives no sign of life.

  /** Asks for a sign of life, or says that it has ended or must end. On another context's stack. */
  call(): void {
    this.#call?.resolve();
    this.#call = undefined;
  }

  #expectCall(): void {
    if (this.#call) return;
    this.#call = deferred();
    void this.#call.promise.then(() => this.#hear());
    // What was called before there was anybody to hear it.
    if (this.host.shutdownMode === "now") this.call();
  }

  override wakeOperation(operation: Operation): void {
    if (this.instance.current === this) return operation.succeed(DONE);
    operation.woken = true;
    (this.#woken ??= []).push(operation);
    this.call();
  }

  #hear(): void {
    if (this.host.shutdownMode === "now") return this.turn();
    for (const operation of this.#woken?.splice(0) ?? []) if (!operation.settled) operation.succeed(DONE);
    if (this.instance.owesTurn) this.wake();
    this.signs++;
    if (!this.ended) this.#expectCall();
    this.#tell();
  }

  // The end.

  /** Ends this context without waiting for the guest. May be called on another context's stack. */
  fail(failure: ContextFailure): void {
    if (this.ended) return;
    this.#failure = failure;
    this.#end();
    this.call();
  }

  /** Touches no I/O: the stack may be another context's. */
  #end(): void {
    this.ended = true;
    this.instance.contexts--;
    this.abandon();
    if (this.parked) this.instance.orphans.push(...this.parked);
    this.host.release(this);
  }
}
