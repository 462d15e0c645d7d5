// Hosts: a guest that does not know where it runs. What serves it stands beside it.

import { Exchange, KvValue, Status, gather, kv, serve } from "wasm-proactor";
export { run } from "wasm-proactor";

const store = kv("STORE");

/** GET /<name>: greets whoever is kept under that name. Both reads are given 5 s. */
serve((exchange: Exchange) => {
  const name = exchange.path.slice(1);
  gather<KvValue>([store.get("greeting"), store.get("names/" + name)])
    .timeout(5000)
    .then(exchange, (exchange, values) => {
      if (values.status == Status.NotFound) exchange.respond(404, "nobody of that name");
      else if (values.status == Status.TimedOut) exchange.respond(504, "the store takes too long");
      else if (values.failed) exchange.respond(502, values.message());
      else exchange.respond(200, `${values.at(0).text()}, ${values.at(1).text()}`);
    });
});
