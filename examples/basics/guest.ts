// Basics: an operation from its start to its completion, and how one fails.

import { Completion, Exchange, Status, kv, noop, serve } from "wasm-proactor";
export { run } from "wasm-proactor";

const store = kv("STORE");

serve((exchange: Exchange) => {
  if (exchange.path == "/visits") countVisit(exchange);
  else if (exchange.path == "/order") showOrder(exchange);
  else readPage(exchange);
});

// A handler is called when its operation has completed, and may start the next one.

/** What the handlers of one visit need to know. A closure would hold it in a language that has them. */
class Visit {
  constructor(
    public exchange: Exchange,
    public count: u32,
  ) {}
}

/** GET /visits: reads how many there were, writes one more, and then answers. */
function countVisit(exchange: Exchange): void {
  store.get("visits").then(exchange, (exchange, value) => {
    if (value.failed && value.status != Status.NotFound) return refuse(exchange, value);
    const visit = new Visit(exchange, value.found ? U32.parseInt(value.text()) + 1 : 1);
    store.putText("visits", `${visit.count}`).then(visit, (visit, written) => {
      if (written.failed) refuse(visit.exchange, written);
      else visit.exchange.respond(200, `visit ${visit.count}`);
    });
  });
}

// A failure is a result as a success is: the status says how it ended, and nothing traps.

/** GET /<key>: the value; 404 if there is none; 502 and the host's own words if the store failed. */
function readPage(exchange: Exchange): void {
  store.get(exchange.path).then(exchange, (exchange, value) => {
    if (value.found) exchange.respond(200, value);
    else if (value.status == Status.NotFound) exchange.respond(404, "there is no such page");
    else refuse(exchange, value);
  });
}

function refuse(exchange: Exchange, failed: Completion): void {
  exchange.respond(502, `status ${failed.status}: ${failed.message()}`);
}

// No handler runs inside the call that submits its operation, even if there is nothing to wait for.

class Order {
  lines: string[] = [];

  constructor(private exchange: Exchange) {}

  add(line: string): void {
    this.lines.push(line);
    if (this.lines.length == 3) this.exchange.respond(200, this.lines.join("\n"));
  }
}

/** GET /order: what happens first. A noop is done at once, and an empty key is refused at once. */
function showOrder(exchange: Exchange): void {
  const order = new Order(exchange);
  noop().then(order, (order, done) => order.add(`noop completed with ${done.status}`));
  store.get("").then(order, (order, value) => order.add(`get completed with ${value.status}`));
  order.add("both are submitted");
}
