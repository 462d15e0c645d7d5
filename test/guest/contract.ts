// What the guest library promises at the border, for the tests of the contract's rules.

import {
  CancelResult,
  Completion,
  Exchange,
  cancel,
  kv,
  noop,
  origin,
  serve,
  staleCount,
  timer,
} from "../../assembly/index";
import { Json } from "./support/json";
import { numberOf } from "./support/query";
export { run } from "../../assembly/index";

const cache = kv("CACHE");
const api = origin("API");

class Count {
  made: u32 = 0;
  constructor(
    public exchange: Exchange,
    public left: u32,
  ) {}

  step(): void {
    this.made++;
    if (this.left-- == 0) this.exchange.respond(200, `${this.made - 1}`);
    else noop().then(this, (count, _done) => count.step());
  }
}

/** Two results that arrive together; the handler of the first cancels the second. */
class Pair {
  token: u64 = 0;
  json: Json = new Json();
  constructor(public exchange: Exchange) {}

  first(_completion: Completion): void {
    this.json.number("first", <f64>(<i32>cancel(this.token)));
    this.json.number("again", <f64>(<i32>cancel(this.token)));
  }

  second(completion: Completion): void {
    this.json.completion(completion).number("resource", completion.resource);
    this.json.number("after", <f64>(<i32>cancel(this.token)));
    this.exchange.respond(200, this.json.toString());
  }
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/stale") {
    timer(10).then(exchange, (exchange, _done) => {
      timer(10).then(exchange, (exchange, _done) => exchange.respond(200, `${staleCount()}`));
    });
  } else if (path == "/chain") {
    new Count(exchange, numberOf(exchange, "n")).step();
  } else if (path == "/full") {
    // More than the host admits, and then the answer, in one batch.
    for (let i: u32 = 0; i < numberOf(exchange, "n"); i++) timer(10).submit();
    exchange.respond(200, "answered");
  } else if (path == "/overrule") {
    const pair = new Pair(exchange);
    api.fetch("/first").then(pair, (pair, response) => pair.first(response));
    pair.token = api.fetch("/second").then(pair, (pair, response) => pair.second(response));
  } else if (path == "/status") {
    cache.get("key").then(exchange, (exchange, value) => {
      exchange.respond(200, new Json().completion(value).bool("found", value.found).toString());
    });
  } else if (path == "/unknown-token") {
    exchange.respond(200, cancel(0x0000_0001_0000_4000) == CancelResult.Unknown ? "unknown" : "wrong");
  } else if (path == "/abort") {
    timer(5).then(exchange, (_exchange, _done) => {
      throw new Error("on purpose");
    });
  } else if (path == "/unreachable") {
    timer(5).then(exchange, (_exchange, _done) => unreachable());
  } else if (path == "/wait") {
    timer(numberOf(exchange, "ms")).then(exchange, (exchange, _done) => exchange.respond(200, "waited"));
  } else if (path == "/random") {
    cache.putText("random", `${Math.random()} ${Date.now()}`).then(exchange, (exchange, _done) => {
      exchange.respond(200, `${Math.random()}`);
    });
  }
});
