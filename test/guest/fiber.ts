// runtimes: incremental, stub
// targets: release, debug
// fibers
import {
  Completion,
  Exchange,
  Gate,
  Operation,
  Scope,
  Status,
  cancel,
  fiber,
  gather,
  inFlightCount,
  kv,
  noop,
  serve,
  staleCount,
  timer,
} from "../../assembly/index";
import { Chain } from "./support/chain";
import { Json } from "./support/json";
import { has, numberOf, textOf } from "./support/query";
export { run, run_fiber } from "../../assembly/index";

const cache = kv("CACHE");
/** One request at a time. */
const gate = new Gate(1);

/** Objects that only the stacks of fibers refer to: a list of texts that tell whose they are. */
class Link {
  constructor(
    public text: string,
    public next: Link | null,
  ) {}
}

function chain(owner: string, length: i32): Link | null {
  let first: Link | null = null;
  for (let i = 0; i < length; i++) first = new Link(`${owner}/${i}`, first);
  return first;
}

/** Whether the list is still what `chain` made of these. */
function isWhole(first: Link | null, owner: string, length: i32): bool {
  let link = first;
  for (let i = length - 1; i >= 0; i--) {
    if (!link || link.text != `${owner}/${i}`) return false;
    link = link.next;
  }
  return !link;
}

/** What all fibers of one request have in common. */
class Walk {
  readonly order: string;
  readonly collects: bool;
  readonly count: u32;
  readonly depth: u32;
  random: u32;
  running: u32 = 0;
  broken: u32 = 0;
  waits: u32 = 0;
  sum: u32 = 0;
  /** Objects on their way from one fiber to another. */
  handed: Array<Link | null> = [];

  constructor(readonly exchange: Exchange) {
    this.order = textOf(exchange, "order");
    this.collects = has(exchange, "collect");
    this.count = numberOf(exchange, "count", 8);
    this.depth = numberOf(exchange, "depth", 4);
    this.random = numberOf(exchange, "seed", 1);
    for (let id: u32 = 0; id < this.count; id++) this.handed.push(null);
  }

  /** How long fiber `id` waits now: who was last goes on first, or first, or nobody knows. */
  delay(id: u32): u32 {
    if (this.order == "last") return this.count - id;
    if (this.order == "first") return 1;
    this.random = this.random * 1664525 + 1013904223;
    return 1 + ((this.random >> 16) % 7);
  }

  /** Lets other fibers run, and makes garbage before and after. */
  wait(id: u32): void {
    this.litter(id);
    const done = timer(this.delay(id)).await();
    if (done.status != Status.Ok) this.broken++;
    this.waits++;
    this.litter(id);
  }

  /** What was freed by mistake is overwritten by this. */
  litter(id: u32): void {
    for (let i = 0; i < 4; i++) chain(`litter of ${id}`, i);
    if (this.collects) __collect();
  }

  ended(): void {
    if (--this.running > 0) return;
    const report = new Json().number("broken", this.broken).number("waits", this.waits).number("sum", this.sum);
    this.exchange.respond(200, report.toString());
  }
}

class Walker {
  constructor(
    readonly walk: Walk,
    readonly id: u32,
  ) {}

  /** Waits at every depth of a recursion on the way down and up, with objects of its own and a shared one. */
  descend(depth: u32, shared: Link | null, owner: string): u32 {
    const name = `fiber ${this.id} at ${depth}`;
    const mine = chain(name, <i32>depth + 2);
    this.walk.wait(this.id);
    let sum: u32 = 1;
    if (depth > 0) sum += this.descend(depth - 1, shared, owner);
    const text = name + ", later";
    this.walk.wait(this.id);
    if (!isWhole(mine, name, <i32>depth + 2)) this.walk.broken++;
    if (!isWhole(shared, owner, 5)) this.walk.broken++;
    if (text != `fiber ${this.id} at ${depth}, later`) this.walk.broken++;
    return sum;
  }

  /** An even fiber shares an object with the odd one after it: nobody else knows of it. */
  main(): void {
    const walk = this.walk;
    const id = this.id;
    const owner = `shared of ${id & ~1}`;
    let shared: Link | null;
    if (id & 1) {
      // Its maker has already begun.
      shared = walk.handed[id - 1];
      walk.handed[id - 1] = null;
    } else {
      shared = chain(owner, 5);
      if (id + 1 < walk.count) walk.handed[id] = shared;
    }
    const sum = this.descend(walk.depth + (id % 3), shared, owner);
    walk.sum += sum;
    walk.ended();
  }
}

function walk(exchange: Exchange): void {
  const walk = new Walk(exchange);
  walk.running = walk.count;
  for (let id: u32 = 0; id < walk.count; id++) fiber(new Walker(walk, id), (walker) => walker.main()).submit();
}

/** Answers with what `text` becomes after waits that have each their own payload. */
function values(exchange: Exchange): void {
  const id = textOf(exchange, "id");
  // Its completions lie where those of the fiber did.
  if (has(exchange, "busy")) noise(30);
  cache.putText(`key/${id}`, `value of ${id}`).await();
  let read = "";
  for (let i = 0; i < 5; i++) {
    const value = cache.get(`key/${id}`).await();
    const missing = cache.get(`missing/${id}`);
    const text = value.text();
    read += missing.await().found ? "?" : text + "|";
  }
  cache.remove(`key/${id}`).await();
  exchange.respond(200, read);
}

function noise(left: u32): void {
  if (left > 0) noop().then(left, (left, _done) => noise(left - 1));
}

/** Waits below so many functions. */
function deep(depth: u32): u32 {
  if (depth == 0) {
    timer(1).await();
    return 0;
  }
  return deep(depth - 1) + 1;
}

function trap(exchange: Exchange): void {
  const how = textOf(exchange, "how");
  const kept = chain("kept by one that traps", 10);
  if (has(exchange, "after")) timer(numberOf(exchange, "after")).await();
  else cache.get("nothing").await();
  // What is submitted with the trap is not handed over any more.
  if (how != "none") timer(600_000).submit();
  if (how == "abort") throw new Error("a fiber gives up");
  if (how == "unreachable") unreachable();
  exchange.respond(200, isWhole(kept, "kept by one that traps", 10) ? "whole" : "broken");
}

/** How many fibers of `/park` wait, and what they found afterwards. */
class Park {
  waiting: u32;
  broken: u32;

  constructor(readonly exchange: Exchange) {
    this.waiting = numberOf(exchange, "count");
  }

  wait(): void {
    const id = this.waiting;
    const mine = chain(`parked ${id}`, 3);
    timer(1000).await();
    if (!isWhole(mine, `parked ${id}`, 3)) this.broken++;
    if (--this.waiting == 0) this.exchange.respond(200, `${this.broken} broken`);
  }
}

function park(exchange: Exchange): void {
  const park = new Park(exchange);
  for (let i = park.waiting; i > 0; i--) fiber(park, (park) => park.wait()).submit();
}

/** A fiber that awaits fibers that await fibers; each counts those below it. */
class Family {
  below: u32;

  constructor(readonly generation: u32) {}

  operation(): Operation<Completion> {
    return fiber(this, (family) => family.live());
  }

  live(): void {
    if (this.generation == 0) return;
    const mine = chain(`generation ${this.generation}`, 3);
    const left = new Family(this.generation - 1);
    const right = new Family(this.generation - 1);
    gather<Completion>([left.operation(), right.operation(), timer(1)]).await();
    const third = new Family(this.generation - 1);
    const ended = third.operation().await();
    assert(!ended.failed && isWhole(mine, `generation ${this.generation}`, 3));
    this.below = 3 + left.below + right.below + third.below;
  }
}

/** Resumes a fiber on the turn on which another handler gives up. */
function doomed(exchange: Exchange): void {
  fiber(exchange, (exchange) => {
    timer(5).await();
    if (has(exchange, "alone")) exchange.respond(200, "alone");
    else cache.putText("doomed", "ran").await();
  })
    .limit(gate)
    .submit();
  // Later than the fiber does, so that its completion comes behind.
  if (!has(exchange, "alone"))
    noop()
      .delay(0)
      .then(exchange, (exchange, _done) =>
        timer(5).then(exchange, (_exchange, _done) => {
          throw new Error("a handler gives up");
        }),
      );
}

/** What happened, in order. */
class Log {
  written: string = "";

  constructor(readonly exchange: Exchange) {}

  add(what: string): void {
    this.written += (this.written.length ? " " : "") + what;
  }

  /** Waits twice. */
  live(): void {
    this.add("begins");
    this.add(`${timer(1000).await().status}`);
    this.add(`${timer(1000).await().status}`);
    this.add("ends");
  }
}

/** Waits for ever, whatever comes of it. */
function stubborn(_exchange: Exchange): void {
  for (;;) timer(1).await();
}

/** Cancels a fiber before it begins, while it waits, and after it has ended. */
function cancelled(exchange: Exchange): void {
  const log = new Log(exchange);
  const after = numberOf(exchange, "after");
  const token = fiber(log, (log) => log.live()).then(log, (log, completion) => {
    log.add(`completes ${completion.status}`);
    log.exchange.respond(200, log.written);
  });
  if (!after) cancel(token);
  else fiber(new Cancelling(token, after), (cancelling) => cancelling.live()).submit();
}

class Cancelling {
  constructor(
    readonly token: u64,
    readonly ms: u32,
  ) {}

  live(): void {
    timer(this.ms).await();
    cancel(this.token);
  }
}

function onFiber(exchange: Exchange): void {
  const path = exchange.path;
  if (path == "/values") values(exchange);
  else if (path == "/deep") exchange.respond(200, `${deep(numberOf(exchange, "depth"))}`);
  else if (path == "/trap") trap(exchange);
  else if (path == "/spin") {
    const begins = has(exchange, "fibers");
    for (let i = numberOf(exchange, "count"); i > 0; i--) {
      if (begins) fiber(exchange, (_exchange) => {}).await();
      else noop().await();
    }
    exchange.respond(200, "spun");
  } else if (path == "/late") {
    exchange.respond(200, "answered");
    timer(20).await();
    cache.putText("late", "done").await();
  } else if (path == "/large") {
    const value = cache.get("large").await();
    const before = value.bytes();
    noop().await();
    exchange.respond(200, before);
  } else if (path == "/missed") exchange.respond(200, timer(1000).timeout(3).await().message());
  else if (path == "/refused") {
    let refused = 0;
    while (timer(1).await().status == Status.Again) refused++;
    exchange.respond(200, `${refused}`);
  } else if (path == "/wait") timer(numberOf(exchange, "ms")).await();
  else if (path == "/nested") {
    const family = new Family(numberOf(exchange, "generations"));
    family.operation().await();
    exchange.respond(200, `${family.below}`);
  } else if (path == "/timeout") {
    const log = new Log(exchange);
    const completion = fiber(log, (log) => log.live())
      .timeout(10)
      .await();
    log.add(`completes ${completion.status}`);
    exchange.respond(200, log.written);
  } else if (path == "/scope") {
    const log = new Log(exchange);
    const scope = new Scope();
    fiber(log, (log) => log.live())
      .within(scope)
      .then(log, (log, completion) => log.add(`completes ${completion.status}`));
    timer(5).await();
    scope.cancel();
    scope.join().await();
    exchange.respond(200, log.written);
  } else if (path == "/silent") timer(1).await();
  else if (path != "/silent-at-once") exchange.respond(404, path);
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/walk") walk(exchange);
  else if (path == "/park") park(exchange);
  else if (path == "/chain") new Chain(exchange, numberOf(exchange, "count")).step();
  else if (path == "/cancelled") cancelled(exchange);
  else if (path == "/stubborn") fiber(exchange, stubborn).timeout(5).submit();
  else if (path == "/doomed") doomed(exchange);
  else if (path == "/outside") timer(1).await();
  else if (path == "/state") exchange.respond(200, `${inFlightCount()} ${staleCount()} ${memory.size()}`);
  else if (has(exchange, "gate")) fiber(exchange, onFiber).limit(gate).submit();
  else fiber(exchange, onFiber).submit();
});
