import { Exchange, kv, origin, serve, timer } from "../../assembly/index";
export { run } from "../../assembly/index";

const cache = kv("CACHE");
const upstream = origin("UPSTREAM");

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/hello") exchange.respond(200, "hello");
  else if (path == "/trap") throw new Error("trap on purpose");
  else if (path == "/silent") return;
  else if (path == "/sleep") timer(20).then(exchange, (exchange, done) => exchange.respond(200, "slept"));
  else if (path == "/kv")
    cache.get("a").then(exchange, (exchange, value) => exchange.respond(200, value.found ? value.text() : "none"));
  else
    upstream
      .fetch("/page/x")
      .timeout(500)
      .then(exchange, (exchange, response) => exchange.forward(response));
});
