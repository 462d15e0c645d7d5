// A page from KV; under /fault the handler aborts when it has got it.

import { Exchange, RequestHeaders, kv, serve } from "../../assembly/index";
export { run } from "../../assembly/index";

const store = kv("STORE");

serve((exchange: Exchange) => {
  store.get("1024").then(exchange, (exchange, value) => {
    if (exchange.path == "/fault") throw new Error("a fault");
    exchange.respond(200, value.bytes());
  });
}, RequestHeaders.Omitted);
