// Retry: an operation that is submitted again when it has failed in a way that may pass.

import { Status, TIMER_MS_MAX } from "../abi";
import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { AnyOperation, Operation } from "../operation";
import { Composite, newComposite } from "./composite";

const OPERATION: u32 = 0;
const TIMER: u32 = 1;

/** Whether a failure may pass by itself: the host was full, the deadline passed, the network or the store refused. */
export function isTransient(completion: Completion): bool {
  switch (completion.status) {
    case Status.Again:
    case Status.TimedOut:
    case Status.Network:
    case Status.Aborted:
    case Status.RateLimited:
      return true;
    default:
      return false;
  }
}

/** How often, how long apart and after which results an operation is tried again. A value, for any number of retries. */
export class RetryPolicy {
  private base_ms: u32 = 100;
  private factor: f64 = 2;
  private cap_ms: u32 = 30_000;
  private spread: f64 = 0;
  /** Milliseconds that one attempt may take; 0 for no limit of its own. */
  attempt_ms: u32 = 0;
  private predicate: (result: Completion) => bool = isTransient;

  /** `attempts` are all of them, the first included. */
  constructor(public attempts: u32 = 3) {}

  /** Waits `base_ms` before the second attempt, each time `factor` as long as before, and never longer than `cap_ms`. */
  backoff(base_ms: u32, factor: f64 = 2, cap_ms: u32 = 30_000): this {
    this.base_ms = base_ms;
    this.factor = factor;
    this.cap_ms = cap_ms;
    return this;
  }

  /** Shortens each wait by a random part of itself, up to `spread`: 0 not at all, 1 down to nothing. */
  jitter(spread: f64): this {
    this.spread = spread;
    return this;
  }

  /** Ends each attempt after `ms` milliseconds. For all together, give the retry a `timeout`. */
  attemptTimeout(ms: u32): this {
    this.attempt_ms = ms;
    return this;
  }

  /** Tries again after those results for which `fn` is true; without it, after failures that are transient. */
  when<R>(fn: (result: R) => bool): this {
    this.predicate = changetype<(result: Completion) => bool>(fn);
    return this;
  }

  /** What is wrong with it, or an empty text. */
  get flaw(): string {
    if (this.attempts == 0) return "retry: at least one attempt";
    if (!(this.factor >= 0)) return "retry: the factor is at least 0";
    if (!(this.spread >= 0 && this.spread <= 1)) return "retry: the jitter is 0 to 1";
    return this.cap_ms > TIMER_MS_MAX ? "retry: the cap is over 24.8 days" : "";
  }

  /** Whether this result is worth another attempt. What the guest has cancelled is not. */
  isRetryable(completion: Completion): bool {
    return completion.status != Status.Cancelled && this.predicate(completion);
  }

  /** Milliseconds before attempt number `attempt`, of which the first is 0. */
  wait(attempt: u32): u32 {
    let ms: f64 = this.base_ms;
    // Not Math.pow, which is 3 KB. Beyond the cap there is nothing to multiply, unless it shrinks.
    for (let done: u32 = 1; done < attempt && ms > 0 && (ms < this.cap_ms || this.factor < 1); done++)
      ms *= this.factor;
    ms = min<f64>(ms, this.cap_ms);
    if (this.spread > 0) ms *= 1 - this.spread * Math.random();
    return <u32>ms;
  }
}

class RetryFlight extends Composite {
  operation!: AnyOperation;
  policy!: RetryPolicy;
  private attempts: u32;

  protected get name(): string {
    return "retry";
  }

  protected start(): void {
    const flaw = this.policy.flaw;
    if (flaw.length) this.fail(Status.Invalid, flaw);
    else this.attempt();
  }

  private attempt(): void {
    this.attempts++;
    const operation = this.operation;
    const own = operation.deadline_ms;
    const limit = this.policy.attempt_ms;
    // The value is read while it is submitted.
    if (limit && (!own || limit < own)) operation.deadline_ms = limit;
    this.startMember(OPERATION, operation);
    operation.deadline_ms = own;
  }

  protected onMember(index: u32, completion: Completion): void {
    if (index == TIMER) {
      if (completion.failed) this.pass(completion);
      else this.attempt();
    } else if (this.attempts < this.policy.attempts && this.policy.isRetryable(completion)) {
      this.drop(completion);
      this.startTimer(TIMER, this.policy.wait(this.attempts));
    } else {
      this.pass(completion);
    }
  }
}

export class Retry<R> extends Operation<R> {
  constructor(
    private operation: Operation<R>,
    private policy: RetryPolicy,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<RetryFlight>(handler, 2);
    flight.operation = this.operation;
    flight.policy = this.policy;
    return flight.begin(this.deadline_ms);
  }
}
