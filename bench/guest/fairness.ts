// Three kinds of requests to one instance. /slices: computes, a piece a turn, until it is told to stop. /flood: has `size`
// reads in flight until then. /light: one read. /stop: tells.

import { Completion, CompletionHandler, Exchange, RequestHeaders, kv, serve, slices } from "../../assembly/index";
import { numberOf } from "./support/number";
export { run } from "../../assembly/index";

const store = kv("STORE");

/** Pieces that the hog has done. The host looks at it from outside. */
export let progress: u32 = 0;

let stopped = false;
let state: u32 = 1;

/** Some microseconds. Its twin is in ../node/fairness.ts. */
function work(): void {
  for (let i = 0; i < 5000; i++) state = state * 1664525 + 1013904223;
  progress++;
}

class Flood extends CompletionHandler {
  private inFlight: u32 = 0;

  constructor(private exchange: Exchange) {
    super();
  }

  start(): void {
    this.inFlight++;
    store.get("64").submit(this);
  }

  onComplete(completion: Completion): void {
    assert(!completion.failed);
    this.inFlight--;
    progress++;
    if (!stopped) this.start();
    else if (this.inFlight == 0) this.exchange.respond(200, "stopped");
  }
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/light") {
    store.get("64").then(exchange, (exchange, value) => exchange.respond(200, value.bytes()));
  } else if (path == "/slices") {
    slices(exchange, (_exchange) => {
      work();
      return !stopped;
    }).then(exchange, (exchange, _done) => exchange.respond(200, `stopped ${state}`));
  } else if (path == "/flood") {
    const flood = new Flood(exchange);
    const size = numberOf(exchange, "size");
    for (let i: u32 = 0; i < size; i++) flood.start();
  } else {
    stopped = true;
    exchange.respond(200, "");
  }
}, RequestHeaders.Omitted);
