// runtimes: incremental, minimal, stub
// options: --exportRuntime
// A guest that submits whatever composite operations a script says, and says what their handlers get. For test/compose.
//
// It says so by `random_get`, which the test answers: a message of SAID_BYTES is no request for random numbers.

import { Runtime } from "shared/runtime";
import {
  Channel,
  Completion,
  CompletionHandler,
  Exchange,
  Gate,
  Gathered,
  Operation,
  RetryPolicy,
  Scope,
  SingleFlight,
  Status,
  Task,
  Token,
  Value,
  any,
  cancel,
  close,
  gather,
  gatherSettled,
  inFlightCount,
  kv,
  noop,
  origin,
  race,
  sequence,
  serve,
  timer,
} from "../../assembly/index";
import { isOfQueue } from "../../assembly/completion-queue";
import { Kind, Odd, SAID_BYTES, Said, Statement } from "./support/composite";
import { allocations, wasAllocated, watchHeap } from "./support/heap";
import { random_get } from "./support/wasi_snapshot_preview1";
export { run, __instance_signal, __instance_terminated } from "../../assembly/index";

/** Flag of a completion whose payload is a list of records; see assembly/compose/composite.ts. */
const RECORDS: u32 = 0x1_0000;

/** Lists inside lists that are looked at: what calls itself for each would need a stack as deep. */
const LEVELS_MAX: i32 = 64;

type Any = Operation<Completion>;

const cache = kv("CACHE");
const api = origin("API");

// What the requests of an instance share.
const gates: Gate[] = [];
const channels: Channel<u32>[] = [];
const shared = new SingleFlight<Completion>();

function say(what: Said, a: u32, b: u32 = 0, c: u32 = 0, d: u32 = 0, e: u32 = 0): void {
  const message = memory.data(32, 4);
  store<u32>(message, what);
  store<u32>(message, a, 4);
  store<u32>(message, b, 8);
  store<u32>(message, c, 12);
  store<u32>(message, d, 16);
  store<u32>(message, e, 20);
  random_get(message, SAID_BYTES);
}

/** One request: a script, and what it has submitted. */
class Play {
  readonly tokens: Map<u32, Token> = new Map();
  readonly scopes: Scope[] = [];

  constructor(readonly words: StaticArray<u32>) {}

  scope(index: u32): Scope {
    while (<u32>this.scopes.length <= index) this.scopes.push(new Scope());
    return this.scopes[index];
  }
}

class Reader {
  constructor(
    readonly play: Play,
    public at: u32,
  ) {}

  next(): u32 {
    return this.play.words[this.at++];
  }

  declaration(): void {
    for (let index: u32 = 0, count = this.next(); index < count; index++) {
      const limit = this.next();
      const room = this.next();
      if (<u32>gates.length == index) gates.push(new Gate(limit, room));
    }
    for (let index: u32 = 0, count = this.next(); index < count; index++) {
      const capacity = this.next();
      if (<u32>channels.length == index) channels.push(new Channel<u32>(capacity));
    }
  }

  block(): void {
    const words = this.next();
    for (const end = this.at + words; this.at < end;) this.statement();
  }

  private statement(): void {
    const statement: Statement = this.next();
    switch (statement) {
      case Statement.Submit:
        return this.submit();
      case Statement.Detach:
        this.operation().submit();
        return;
      case Statement.Cancel: {
        const number = this.next();
        if (this.play.tokens.has(number)) cancel(this.play.tokens.get(number));
        return;
      }
      case Statement.CancelScope:
        return this.play.scope(this.next()).cancel();
      case Statement.CloseChannel:
        return channels[this.next()].close();
      case Statement.Trap:
        throw new Error("as told");
      case Statement.Count:
        return say(
          Said.Counted,
          inFlightCount(),
          gates.length ? gates[0].running : 0,
          gates.length ? gates[0].waiting : 0,
        );
      case Statement.Deep:
        return this.deep();
      case Statement.Rounds:
        return new Rounds(this.next(), this.operation()).begin();
      case Statement.Odd:
        return this.odd();
      default:
        throw new Error(`there is no statement ${statement}`);
    }
  }

  private submit(): void {
    const number = this.next();
    const handler = this.handler(number);
    this.play.tokens.set(number, this.operation().submit(handler));
  }

  private handler(number: u32): Handler {
    const words = this.next();
    const handler = new Handler(this.play, number, this.at - 1);
    this.at += words;
    return handler;
  }

  private deep(): void {
    const number = this.next();
    const handler = this.handler(number);
    const kind: Kind = this.next();
    const depth = this.next();
    let operation = this.operation();
    for (let level: u32 = 0; level < depth; level++) operation = this.around(kind, operation);
    this.play.tokens.set(number, operation.submit(handler));
  }

  private around(kind: Kind, operation: Any): Any {
    switch (kind) {
      case Kind.Gather:
        return changetype<Any>(gather<Completion>([operation]));
      case Kind.Race:
        return race<Completion>([operation, timer(0x7fff_ffff)]);
      case Kind.Retry:
        return operation.retry(new RetryPolicy(1));
      case Kind.Steps:
        return changetype<Any>(new Steps([operation]));
      case Kind.Within:
        return operation.within(this.play.scope(0));
      default:
        return operation.fallback(noop());
    }
  }

  private odd(): void {
    const number = this.next();
    const handler = this.handler(number);
    const odd: Odd = this.next();
    const operation = made(odd);
    this.play.tokens.set(number, operation.submit(odd < Odd.ValueOfFailure ? handler : new Asking(odd)));
    if (odd == Odd.TaskTwice) operation.submit(handler);
  }

  private operation(): Any {
    const kind: Kind = this.next();
    const deadline = this.next();
    const operation = this.made(kind);
    return deadline ? operation.timeout(deadline) : operation;
  }

  private operations(): Any[] {
    const operations: Any[] = [];
    for (let left = this.next(); left > 0; left--) operations.push(this.operation());
    return operations;
  }

  private made(kind: Kind): Any {
    switch (kind) {
      case Kind.Noop:
        return noop();
      case Kind.Timer:
        return timer(this.next());
      case Kind.Get:
        return changetype<Any>(cache.get(`${this.next()}`));
      case Kind.Page:
        return changetype<Any>(api.fetch(`/${this.next()}`).withBody());
      case Kind.Fetch:
        return changetype<Any>(api.fetch(`/${this.next()}`));
      case Kind.Send: {
        const channel = channels[this.next()];
        return changetype<Any>(channel.send(this.next()));
      }
      case Kind.Receive:
        return changetype<Any>(channels[this.next()].receive());
      case Kind.Join:
        return this.play.scope(this.next()).join();
      case Kind.Gather:
        return changetype<Any>(gather<Completion>(this.operations()));
      case Kind.Settled:
        return changetype<Any>(gatherSettled<Completion>(this.operations()));
      case Kind.Race:
        return race<Completion>(this.operations());
      case Kind.Any:
        return any<Completion>(this.operations());
      case Kind.Sequence:
        return changetype<Any>(sequence<Completion>(this.operations()));
      case Kind.Steps:
        return changetype<Any>(new Steps(this.operations()));
      case Kind.Retry: {
        const policy = this.policy();
        return this.operation().retry(policy);
      }
      case Kind.Fallback: {
        const first = this.operation();
        return first.fallback(this.operation());
      }
      case Kind.Hedge: {
        const ms = this.next();
        const hasSecond = this.next();
        const first = this.operation();
        return hasSecond ? first.hedge(ms, this.operation()) : first.hedge(ms);
      }
      case Kind.Delay: {
        const ms = this.next();
        return this.operation().delay(ms);
      }
      case Kind.Map:
        return changetype<Any>(
          this.operation().map<u32>((result) => {
            giveBack(result);
            return result.auxiliary + 1;
          }),
        );
      case Kind.MapTrap:
        return changetype<Any>(
          this.operation().map<u32>((_result) => {
            throw new Error("as told");
          }),
        );
      case Kind.Ensure:
        return this.operation().ensure((result) => result.auxiliary < 500);
      case Kind.Limit: {
        const gate = gates[this.next()];
        return this.operation().limit(gate);
      }
      case Kind.Share: {
        const key = `${this.next()}`;
        return shared.share(key, this.operation());
      }
      case Kind.Within: {
        const scope = this.play.scope(this.next());
        return this.operation().within(scope);
      }
      default:
        throw new Error(`there is no operation ${kind}`);
    }
  }

  private policy(): RetryPolicy {
    const policy = new RetryPolicy(this.next());
    const base = this.next();
    const factor = this.next();
    policy.backoff(base, factor, this.next()).attemptTimeout(this.next());
    if (this.next()) policy.when<Completion>((result) => result.failed || result.auxiliary >= 500);
    return policy;
  }
}

function bad(policy: RetryPolicy): Any {
  return timer(0xffff_ffff).retry(policy.when<Completion>((_result) => true));
}

function made(odd: Odd): Any {
  switch (odd) {
    case Odd.FactorNan:
      return bad(new RetryPolicy(3).backoff(10, NaN));
    case Odd.FactorNegative:
      return bad(new RetryPolicy(3).backoff(10, -1));
    case Odd.FactorInfinite:
      return bad(new RetryPolicy(3).backoff(0, Infinity));
    case Odd.SpreadNan:
      return bad(new RetryPolicy(3).jitter(NaN));
    case Odd.SpreadTwo:
      return bad(new RetryPolicy(3).jitter(2));
    case Odd.CapEndless:
      return bad(new RetryPolicy(3).backoff(10, 2, u32.MAX_VALUE));
    case Odd.BaseEndless:
      return bad(new RetryPolicy(3).backoff(u32.MAX_VALUE, 1e300, 1000));
    case Odd.AttemptEndless:
      return changetype<Any>(cache.get("1")).retry(new RetryPolicy(3).attemptTimeout(u32.MAX_VALUE));
    case Odd.Jitter:
      return bad(new RetryPolicy(50).backoff(1000, 1, 1000).jitter(0.5));
    case Odd.DeadlineEndless:
      return noop().delay(1).timeout(u32.MAX_VALUE);
    case Odd.TaskTwice:
      return changetype<Any>(new Steps([timer(5)]));
    case Odd.ValueOfFailure:
      return changetype<Any>(timer(0xffff_ffff).map<u32>((_result) => 1));
    case Odd.ResultOutOfRange:
    case Odd.ResultBelowZero:
      return changetype<Any>(gather<Completion>([noop()]));
    case Odd.ResultOfFailure:
      return changetype<Any>(gather<Completion>([timer(0xffff_ffff)]));
    default:
      return changetype<Any>(new Careless(odd));
  }
}

/** One operation after the other, all the same value. */
class Rounds extends CompletionHandler {
  private left: u32;

  constructor(
    private rounds: u32,
    private operation: Any,
  ) {
    super();
    this.left = rounds;
  }

  begin(): void {
    this.operation.submit(this);
  }

  onComplete(completion: Completion): void {
    if (completion.failed) throw new Error(`failed with ${completion.status}`);
    if (--this.left == this.rounds / 2) watchHeap();
    if (this.left) this.begin();
    else say(Said.Word, ASC_RUNTIME == Runtime.Stub ? allocations() : u32(wasAllocated()));
  }
}

/** A task whose steps do not end as they should. */
class Careless extends Task<u32> {
  constructor(private odd: Odd) {
    super();
  }

  resume(completion: Completion): void {
    if (this.odd == Odd.EndsWithNothing) return;
    if (this.odd == Odd.FailsWithSuccess) return this.fail(Status.Ok, "it went well");
    if (this.odd == Odd.FailsAsSuccess) return this.failAs(completion);
    if (this.odd == Odd.FailsAsMember) {
      if (this.step) this.failAs(changetype<Gathered<Completion>>(completion).at(1));
      else this.next(gatherSettled<Completion>([noop(), timer(5).timeout(1)]), 1);
      return;
    }
    if (this.odd == Odd.EndsWithNothingLater) {
      if (this.step == 0) this.next(noop(), 1);
      return;
    }
    if (this.odd == Odd.EndsTwice) this.next(noop(), 1);
    else this.done(1);
    this.done(2);
  }
}

/** Asks of a result what it has not. */
class Asking extends CompletionHandler {
  constructor(private odd: Odd) {
    super();
  }

  onComplete(completion: Completion): void {
    const results = changetype<Gathered<Completion>>(completion);
    litter();
    if (this.odd == Odd.FailsAsMember) say(Said.Word, u32(completion.message() == "the deadline passed"));
    else if (this.odd == Odd.ValueOfFailure) say(Said.Word, changetype<Value<u32>>(completion).value);
    else if (this.odd == Odd.ResultOutOfRange) say(Said.Word, results.at(1).status);
    else if (this.odd == Odd.ResultBelowZero) say(Said.Word, results.at(-1).status);
    else say(Said.Word, results.at(0).status);
  }
}

/** Its operations one after the other. */
class Steps extends Task<u32> {
  constructor(private operations: Any[]) {
    super();
  }

  resume(completion: Completion): void {
    if (completion.failed) return this.failAs(completion);
    giveBack(completion);
    if (this.step == <u32>this.operations.length) this.done(this.step);
    else this.next(this.operations[this.step], this.step + 1);
  }
}

/** Says what it gets, gives back what came along, and does its block. */
class Handler extends CompletionHandler {
  constructor(
    private play: Play,
    private number: u32,
    private block: u32,
  ) {
    super();
  }

  onComplete(completion: Completion): void {
    say(Said.Entered, this.number);
    litter();
    tell(completion);
    giveBack(completion);
    new Reader(this.play, this.block).block();
  }
}

/** Writes over what a collection has just freed, and a library that went wrong would still read. */
function litter(): void {
  for (let words = 4; words < 100; words += 2) new StaticArray<u32>(words).fill(0xffff_ffff);
}

function isList(completion: Completion): bool {
  return !isOfQueue(completion) && (completion.flags & RECORDS) != 0;
}

function countOf(completion: Completion): u32 {
  return isList(completion) ? completion.payload_bytes / <u32>offsetof<Completion>() : 0;
}

function recordOf(completion: Completion, index: u32): Completion {
  return changetype<Completion>(completion.payload + <usize>index * offsetof<Completion>());
}

function tell(completion: Completion, level: i32 = 0): void {
  const count = countOf(completion);
  const value = completion.failed || isList(completion) ? 0 : valueOf(completion);
  say(Said.Result, completion.status, completion.auxiliary, value, u32(completion.resource != 0), count);
  if (level == LEVELS_MAX) return;
  for (let index: u32 = 0; index < count; index++) tell(recordOf(completion, index), level + 1);
}

/** The number of a Value, or the digits that end a payload. */
function valueOf(completion: Completion): u32 {
  if (completion.payload && !completion.payload_bytes) return changetype<Value<u32>>(completion).value;
  let value: u32 = 0;
  let unit: u32 = 1;
  for (let at = completion.payload + completion.payload_bytes; at > completion.payload; unit *= 10) {
    const digit = <u32>load<u8>(--at) - 0x30;
    if (digit > 9) break;
    value += digit * unit;
  }
  return value;
}

/** Closes the bodies that came with a result. */
function giveBack(completion: Completion, level: i32 = 0): void {
  if (completion.resource) close(completion.resource).submit();
  if (level == LEVELS_MAX) return;
  for (let index: u32 = 0, count = countOf(completion); index < count; index++)
    giveBack(recordOf(completion, index), level + 1);
}

function wordsOf(text: string): StaticArray<u32> {
  const parts = text.split(",");
  const words = new StaticArray<u32>(parts.length);
  for (let index = 0; index < parts.length; index++) words[index] = <u32>U64.parseInt(parts[index]);
  return words;
}

serve((exchange: Exchange) => {
  exchange.respond(200, "");
  const reader = new Reader(new Play(wordsOf(exchange.query)), 0);
  reader.declaration();
  reader.block();
});
