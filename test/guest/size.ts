// runtimes: incremental, minimal, stub
// The reference guest of the size budget: serve, KV and fetch, as in the README.
import { Exchange, kv, origin, serve } from "../../assembly/index";
export { run } from "../../assembly/index";

const cache = kv("CACHE");
const api = origin("API");

serve((exchange: Exchange) => {
  cache.get(exchange.path).then(exchange, (exchange, value) => {
    if (value.found) exchange.respond(200, value.bytes());
    else
      api
        .fetch("/page")
        .timeout(500)
        .then(exchange, (exchange, response) => exchange.forward(response));
  });
});
