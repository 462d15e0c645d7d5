// runtimes: incremental, minimal, stub
import {
  CancelResult,
  Completion,
  CompletionHandler,
  Exchange,
  KvGet,
  Noop,
  Status,
  Timer,
  Token,
  cancel,
  inFlightCount,
  kv,
  noop,
  origin,
  serve,
  staleCount,
  timer,
} from "../../assembly/index";
import { wasAllocated, watchHeap } from "./support/heap";
import { Json } from "./support/json";
import { numberOf } from "./support/query";
export { run } from "../../assembly/index";

const cache = kv("CACHE");
const api = origin("API");

/** A handler whose fields are its state. */
class Adder extends CompletionHandler {
  calls: i32 = 0;
  sum: i32 = 0;
  constructor(
    public exchange: Exchange,
    public expected: i32,
  ) {
    super();
  }

  onComplete(completion: Completion): void {
    this.calls++;
    this.sum += completion.status == Status.Ok ? 1 : 100;
    if (this.calls == this.expected) {
      this.exchange.respond(200, new Json().number("calls", this.calls).number("sum", this.sum).toString());
    }
  }
}

/** Submits itself again until it has run often enough. */
class Chain extends CompletionHandler {
  private step: Noop = noop();
  private failed: i32 = 0;
  constructor(
    public exchange: Exchange,
    public left: u32,
  ) {
    super();
  }

  start(): void {
    this.step.submit(this);
  }

  onComplete(completion: Completion): void {
    if (completion.failed) this.failed++;
    if (--this.left) {
      this.step.submit(this);
    } else {
      const report = new Json().number("failed", this.failed).number("pages", memory.size());
      this.exchange.respond(200, report.number("inFlight", inFlightCount()).number("stale", staleCount()).toString());
    }
  }
}

/** Notes whether one handler ever ran inside another, or inside a call that submits or cancels. */
class Nesting {
  depth: i32 = 0;
  deepest: i32 = 0;
  left: i32 = 3;
  token: Token = 0;
  constructor(public exchange: Exchange) {}

  enter(): void {
    if (++this.depth > this.deepest) this.deepest = this.depth;
  }

  leave(): void {
    this.depth--;
    if (--this.left == 0) this.exchange.respond(200, new Json().number("deepest", this.deepest).toString());
  }
}

/** Remembers text that only the handler table keeps from being collected. */
class Remembering extends CompletionHandler {
  text: string;
  constructor(
    public index: i32,
    public finish: Finish,
  ) {
    super();
    this.text = `the text of ${index}`;
  }

  onComplete(_completion: Completion): void {
    if (this.text != `the text of ${this.index}`) this.finish.wrong++;
    this.finish.done();
  }
}

class Finish {
  wrong: i32 = 0;
  constructor(
    public exchange: Exchange,
    public left: i32,
  ) {}

  done(): void {
    if (--this.left) return;
    this.exchange.respond(200, new Json().number("wrong", this.wrong).number("pages", memory.size()).toString());
  }
}

/** What ends as Cancelled in each round of Steady. */
class Ignoring extends CompletionHandler {
  calls: i32 = 0;

  onComplete(_completion: Completion): void {
    this.calls++;
  }
}

/** For a context that is no object. */
let answering: Exchange | null = null;

// Global, as the minimal runtime's collector sees no stack.
let steady: Steady | null = null;

function filled(bytes: i32): ArrayBuffer {
  const buffer = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) buffer[i] = <u8>(i % 251);
  return buffer.buffer;
}

/** Allocates what nobody keeps. */
function litter(bytes: i32): i32 {
  return new ArrayBuffer(bytes).byteLength;
}

/** Goes round and round through submit, poll, dispatch, cancel, a timer and a KV call, and watches the heap meanwhile. */
class Steady extends CompletionHandler {
  private round: u32 = 0;
  private ignoring: Ignoring = new Ignoring();
  private step: Noop = noop();
  private short: Timer = timer(1);
  private long: Timer = timer(60_000);
  private get: KvGet = cache.get("a key that is not there");
  constructor(
    public exchange: Exchange,
    public rounds: u32,
    public allocateAt: u32,
  ) {
    super();
    this.long.timeout(60_000);
  }

  onComplete(_completion: Completion): void {
    this.round++;
    // In the first half everything reaches the size that it has from then on.
    if (this.round == this.rounds / 2) this.watch();
    if (this.round == this.allocateAt) litter(1);
    if (this.round == this.rounds) return this.finish();
    cancel(this.long.submit(this.ignoring));
    if (this.round % 8 == 1) this.get.submit(this);
    else if (this.round % 8 == 5) this.short.submit(this);
    else this.step.submit(this);
  }

  private watch(): void {
    __collect();
    watchHeap();
  }

  private finish(): void {
    const allocated = wasAllocated();
    const report = new Json().bool("allocated", allocated).number("cancelled", this.ignoring.calls);
    this.exchange.respond(200, report.toString());
  }
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  const count = numberOf(exchange, "n");
  if (path == "/submit") {
    noop().submit(new Adder(exchange, 1));
  } else if (path == "/one-handler") {
    // One handler, many operations at once, and of different kinds.
    const adder = new Adder(exchange, 30);
    for (let i = 0; i < 10; i++) {
      noop().submit(adder);
      timer(i % 3).submit(adder);
      cancel(timer(60_000).submit(adder));
    }
  } else if (path == "/then") {
    timer(1).then(exchange, (exchange, done) => exchange.respond(200, `${done.status}`));
  } else if (path == "/then-number") {
    answering = exchange;
    noop().then<i32>(42, (context, _done) => {
      const exchange = answering;
      answering = null;
      if (exchange) exchange.respond(200, `${context}`);
    });
  } else if (path == "/value-twice") {
    // The same value, submitted three times, changed in between: the last ends by its deadline.
    const adder = new Adder(exchange, 3);
    const value = timer(2);
    value.submit(adder);
    value.submit(adder);
    value.timeout(1).submit(adder);
  } else if (path == "/chain") {
    new Chain(exchange, count).start();
  } else if (path == "/nesting") {
    const nesting = new Nesting(exchange);
    nesting.token = timer(60_000).then(nesting, (nesting, _done) => {
      nesting.enter();
      nesting.leave();
    });
    noop().then(nesting, (nesting, _done) => {
      nesting.enter();
      cancel(nesting.token);
      noop().then(nesting, (nesting, _done) => {
        nesting.enter();
        nesting.leave();
      });
      nesting.leave();
    });
  } else if (path == "/survive") {
    const finish = new Finish(exchange, <i32>count);
    for (let i: u32 = 0; i < count; i++) timer(1 + (i % 50)).submit(new Remembering(i, finish));
    // Garbage, and a collection while all of them are in flight.
    for (let i = 0; i < 1000; i++) litter(1000);
    if (ASC_RUNTIME != 1) __collect();
  } else if (path == "/collected") {
    // What was submitted is collected, or written over, before the turn ends: texts, a value of each way to hand it
    // over, headers.
    const finish = new Finish(exchange, 3);
    cache.put("small", filled(100)).then(finish, (finish, _done) => finish.done());
    const large = filled(5000);
    cache.put("large", large).then(finish, (finish, _done) => finish.done());
    memory.fill(changetype<usize>(large), 0xee, 5000);
    api
      .fetch("/echo")
      .header("x-long", "h".repeat(3000))
      .withBody()
      .then(finish, (finish, response) => {
        if (!response.text().includes("h".repeat(3000))) finish.wrong++;
        finish.done();
      });
    for (let i = 0; i < 100; i++) litter(5000);
    if (ASC_RUNTIME != 1) __collect();
  } else if (path == "/filled") {
    cache.get("large").then(exchange, (exchange, value) => exchange.respond(200, value.bytes()));
  } else if (path == "/unhandled") {
    timer(0x8000_0000).submit();
    cache.get("").submit();
    cache.put("a", new ArrayBuffer(1)).submit();
    exchange.respond(200, "done");
  } else if (path == "/cancel") {
    const won = cancel(timer(60_000).then(exchange, (exchange, done) => exchange.respond(200, `${done.status}`)));
    exchange.headers.append("x-won", won == CancelResult.Won ? "yes" : "no");
  } else if (path == "/steady") {
    steady = new Steady(exchange, count, numberOf(exchange, "allocateAt"));
    noop().submit(steady);
  } else if (path == "/garbage") {
    // What each request leaves behind is collected sooner or later, except by the stub runtime.
    litter(100_000);
    noop().then(exchange, (exchange, _done) => exchange.respond(200, `${memory.size()}`));
  } else if (path == "/refused") {
    // More than the host admits at once: what is refused hears Again.
    const finish = new Finish(exchange, <i32>count);
    for (let i: u32 = 0; i < count; i++) {
      timer(1).then(finish, (finish, done) => {
        if (done.status == Status.Again) finish.wrong++;
        finish.done();
      });
    }
  }
});
