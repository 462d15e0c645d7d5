// Styles: one operation, and the ways in which its result can be received.

import { Completion, CompletionHandler, Exchange, KvValue, Status, kv, serve } from "wasm-proactor";
export { run } from "wasm-proactor";

const store = kv("STORE");

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path.startsWith("/submit/")) bySubmit(exchange, path.slice(8));
  else if (path.startsWith("/then/")) byThen(exchange, path.slice(6));
  else exchange.respond(404, "try /submit/greeting or /then/greeting");
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

function bySubmit(exchange: Exchange, key: string): void {
  store.get(key).submit(new Reply(exchange));
}

// then: a function is called with an object of your choice and with the result, whose type asc knows.

function byThen(exchange: Exchange, key: string): void {
  store.get(key).then(exchange, (exchange, value) => answer(exchange, value));
}

// What is done with the result is the same for all.

function answer(exchange: Exchange, value: KvValue): void {
  if (value.found) exchange.respond(200, value.bytes());
  else if (value.status == Status.NotFound) exchange.respond(404, "there is no such key");
  else exchange.respond(502, value.message());
}
