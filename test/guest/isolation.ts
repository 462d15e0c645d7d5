// A guest that behaves well, traps, falls silent or waits to be killed: `/<how>/<id>`.

import { Completion, Exchange, inFlightCount, kv, noop, origin, serve, staleCount, timer } from "../../assembly/index";
import { Chain } from "./support/chain";
export { run } from "../../assembly/index";

const cache = kv("CACHE");
const upstream = origin("UPSTREAM");

/** Turns of a chain that takes longer than one stack may last. */
const CHAIN_LENGTH: u32 = 2_000;
/** Milliseconds that nobody wants to wait. */
const AGES: u32 = 600_000;

serve((exchange: Exchange) => {
  const path = exchange.path;
  const end = path.indexOf("/", 1);
  const how = path.substring(1, end);
  const id = path.substring(end + 1);
  if (how == "ok") new Visit(exchange, id).begin();
  else if (how == "chain") new Chain(exchange, CHAIN_LENGTH).step();
  else if (how == "burn") burn(exchange);
  else if (how == "forward")
    upstream.fetch(`/page/${id}`).then(exchange, (exchange, response) => exchange.forward(response));
  else if (how == "later") later(exchange, id);
  else if (how == "slow") slow(exchange, id);
  else if (how == "trap") trap(exchange, id);
  else if (how == "trap-at-once") throw new Error(`trap ${path}`);
  else if (how == "unreachable") afterMess(exchange, id, (_exchange, _result) => unreachable());
  else if (how == "out-of-bounds") afterMess(exchange, id, (_exchange, _result) => store<u8>(0xffff_ffff, 1));
  else if (how == "overflow")
    afterMess(exchange, id, (_exchange, _result) => {
      overflow(0);
    });
  else if (how == "silent") timer(1).then(exchange, (_exchange, _result) => {});
  else if (how == "silent-at-once") return;
  else if (how == "wait") mess(id);
  else if (how == "wait-after") waitAfter(exchange, id);
  else if (how == "spin") spin(exchange);
  else if (how == "hold") hold(exchange, id);
  else if (how == "large") large(exchange);
  else if (how == "doom-idle") kv("DOOM");
  else if (how == "doom") cache.get("doom").then(exchange, (exchange, _value) => exchange.respond(200, "survived"));
  else if (how == "state") exchange.respond(200, `${inFlightCount()} ${staleCount()} ${memory.size()}`);
  else exchange.respond(404, how);
});

/** Several operations one after the other and at once; the answer holds what each of them brought. */
class Visit {
  private left: i32 = 3;
  private value: string = "";
  private page: string = "";

  constructor(
    private exchange: Exchange,
    private id: string,
  ) {}

  begin(): void {
    const key = `visit/${this.id}`;
    cache.putText(key, `value of ${this.id}`).then(this, (visit, _done) => visit.read());
    timer(<u32>this.id.length * 3).then(this, (visit, _done) => visit.ended());
    upstream
      .fetch(`/page/${this.id}`)
      .withBody()
      .then(this, (visit, response) => {
        visit.page = response.text();
        visit.ended();
      });
  }

  private read(): void {
    cache.get(`visit/${this.id}`).then(this, (visit, value) => {
      visit.value = value.text();
      cache.remove(`visit/${visit.id}`).then(visit, (visit, _done) => visit.ended());
    });
  }

  private ended(): void {
    if (--this.left == 0) this.exchange.respond(200, `${this.id}|${this.value}|${this.page}`);
  }
}

/** Keeps the processor busy for a while before it waits. */
function burn(exchange: Exchange): void {
  let x: u32 = 1;
  for (let i = 0; i < 20_000_000; i++) x = x * 1664525 + 1013904223;
  // Stored, so that the loop is not optimized away.
  store<u32>(memory.data(4), x);
  timer(1).then(exchange, (exchange, _done) => exchange.respond(200, "burnt"));
}

/** Answers first, works afterwards. */
function later(exchange: Exchange, id: string): void {
  exchange.respond(200, `later ${id}`);
  timer(5).then(exchange, (exchange, _done) => {
    cache.putText(exchange.path, "done").submit();
  });
}

function slow(exchange: Exchange, id: string): void {
  upstream
    .fetch(`/slow/${id}?delay=20000`)
    .timeout(30)
    .then(exchange, (exchange, response) => exchange.respond(504, response.message()));
}

/** Starts operations of every kind that nobody waits for. */
function mess(id: string): void {
  timer(AGES).submit();
  cache.get(`nothing/${id}`).submit();
  cache.putText(`mess/${id}`, id).submit();
  upstream.fetch(`/slow/${id}?delay=20000`).submit();
  upstream.fetch("/file?size=1000000").submit();
}

/** Waits for longer than any roll call lasts. */
function hold(exchange: Exchange, id: string): void {
  upstream
    .fetch(`/held/${id}?delay=700`)
    .withBody()
    .then(exchange, (exchange, response) => exchange.respond(200, response.text()));
}

/** Makes the memory grow, until its instance is worn out. */
function large(exchange: Exchange): void {
  upstream
    .fetch("/file?size=3000000")
    .withBody()
    .then(exchange, (exchange, response) => exchange.respond(200, `${response.bytes().byteLength}`));
}

function trap(exchange: Exchange, id: string): void {
  afterMess(exchange, id, (exchange, _result) => {
    // Neither of these two will be handed over.
    timer(AGES).submit();
    cache.get(exchange.path).submit();
    throw new Error(`trap ${exchange.path}`);
  });
}

/** Calls `fn` on a later turn, while operations are in flight. */
function afterMess(exchange: Exchange, id: string, fn: (exchange: Exchange, result: Completion) => void): void {
  mess(id);
  timer(5).then(exchange, fn);
}

function overflow(depth: u32): u32 {
  return depth == u32.MAX_VALUE ? 0 : overflow(depth + 1) + 1;
}

function waitAfter(exchange: Exchange, id: string): void {
  exchange.respond(200, `answered ${id}`);
  mess(id);
}

/** Has always something to do at once and never waits. */
function spin(exchange: Exchange): void {
  noop().then(exchange, (exchange, _done) => spin(exchange));
}
