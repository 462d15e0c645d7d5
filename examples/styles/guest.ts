// Styles: one operation, and the ways in which its result can be received.

import { Completion, CompletionHandler, Exchange, KvValue, Status, fiber, kv, serve } from "wasm-proactor";
export { run, run_fiber } from "wasm-proactor";

const store = kv("STORE");

/** The last part of the path. */
function keyOf(exchange: Exchange): string {
  return exchange.path.slice(exchange.path.lastIndexOf("/") + 1);
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path.startsWith("/submit/")) bySubmit(exchange);
  else if (path.startsWith("/then/")) byThen(exchange);
  else if (path.startsWith("/await/")) byAwait(exchange);
  else exchange.respond(404, "try /submit/greeting, /then/greeting or /await/greeting");
});

// submit: an object is called. Its fields are the state, and nothing is allocated beside it.

class Reply extends CompletionHandler {
  constructor(private exchange: Exchange) {
    super();
  }

  onComplete(completion: Completion): void {
    answer(this.exchange, changetype<KvValue>(completion));
  }
}

function bySubmit(exchange: Exchange): void {
  store.get(keyOf(exchange)).submit(new Reply(exchange));
}

// then: a function is called with an object of your choice and with the result, whose type asc knows.

function byThen(exchange: Exchange): void {
  store.get(keyOf(exchange)).then(exchange, (exchange, value) => answer(exchange, value));
}

// await: straight-line code on a fiber, whose stack is put aside until the result is there.

function byAwait(exchange: Exchange): void {
  fiber(exchange, (exchange) => {
    const value = store.get(keyOf(exchange)).await();
    answer(exchange, value);
  }).submit();
}

// What is done with the result is the same for all.

function answer(exchange: Exchange, value: KvValue): void {
  if (value.found) exchange.respond(200, value);
  else if (value.status == Status.NotFound) exchange.respond(404, "there is no such key");
  else exchange.respond(502, value.message());
}
