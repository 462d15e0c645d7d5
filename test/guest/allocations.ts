// Does one thing again and again, and answers how often the second half of that has allocated. Between `/mark` and `/count`
// requests are counted.
// runtimes: stub

import {
  Completion,
  CompletionHandler,
  Exchange,
  RequestHeaders,
  cancel,
  kv,
  noop,
  origin,
  serve,
  timer,
} from "../../assembly/index";
import { allocations, watchHeap } from "./support/heap";
export { run } from "../../assembly/index";

const ROUNDS = 200;

const cache = kv("CACHE");
const api = origin("API");
const step = noop();
const read = cache.get("key");
const minute = timer(60_000);

class Ignoring extends CompletionHandler {
  onComplete(_completion: Completion): void {}
}

const ignoring = new Ignoring();

class Rounds extends CompletionHandler {
  private left: i32 = ROUNDS;

  constructor(
    private exchange: Exchange,
    private path: string,
  ) {
    super();
  }

  onComplete(_completion: Completion): void {
    this.next();
  }

  next(): void {
    if (--this.left == ROUNDS / 2) watchHeap();
    if (this.left) this.begin();
    else this.exchange.respond(200, `${<f64>allocations() / (ROUNDS / 2)}`);
  }

  begin(): void {
    const path = this.path;
    if (path == "/submit") step.submit(this);
    else if (path == "/read") read.submit(this);
    else if (path == "/cancel") this.cancelOne();
    else if (path == "/then") step.then(this, (rounds, _done) => rounds.next());
    else if (path == "/new") noop().submit(this);
    else if (path == "/new-read") cache.get("key").submit(this);
    else if (path == "/new-fetch") api.fetch("/path").submit(this);
    else if (path == "/text") read.then(this, (rounds, value) => rounds.took(value.text()));
    else throw new Error(`what is ${path}?`);
  }

  cancelOne(): void {
    cancel(minute.submit(ignoring));
    step.submit(this);
  }

  took(text: string): void {
    if (text != "value") throw new Error(`it is ${text}`);
    this.next();
  }
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/hello") {
    exchange.respond(200, "hello");
  } else if (path == "/kv") {
    read.then(exchange, (exchange, value) => exchange.respond(200, value.bytes()));
  } else if (path == "/mark") {
    exchange.respond(200, "");
    watchHeap();
  } else if (path == "/count") {
    exchange.respond(200, `${allocations()}`);
  } else {
    new Rounds(exchange, path).begin();
  }
}, RequestHeaders.Omitted);
