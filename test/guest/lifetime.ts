import { Exchange, kv, origin, serve, timer } from "../../assembly/index";
import { numberOf, textOf } from "./support/query";
export { run } from "../../assembly/index";

const cache = kv("CACHE");
const api = origin("API");

serve((exchange: Exchange) => {
  const path = exchange.path;
  const key = textOf(exchange, "key");
  if (path == "/put-after") {
    exchange.respond(200, "answered");
    cache.putText(key, "put after the answer").submit();
  } else if (path == "/chain-after") {
    exchange.respond(200, "answered");
    timer(numberOf(exchange, "ms")).then(key, (key, _done) => {
      api
        .fetch("/status/200")
        .withBody()
        .then(key, (key, response) => {
          cache.putText(key, response.text()).submit();
        });
    });
  } else if (path == "/put-first") {
    cache.putText(key, "put before the answer").submit();
    exchange.respond(200, "answered");
  } else if (path == "/get") {
    cache.get(key).then(exchange, (exchange, value) => exchange.respond(value.found ? 200 : 404, value.text()));
  } else if (path == "/fetch-after") {
    exchange.respond(200, "answered");
    // A body that nobody reads, begun after the answer.
    api.fetch("/endless").submit();
  } else if (path == "/trap-after") {
    exchange.respond(200, "answered");
    timer(1).then(exchange, (_exchange, _done) => {
      throw new Error("after the answer");
    });
  } else if (path == "/trap-with-timer") {
    timer(60_000)
      .timeout(50_000)
      .then(exchange, (_exchange, _done) => {});
    timer(1).then(exchange, (_exchange, _done) => {
      throw new Error("with a timer in flight");
    });
  } else if (path == "/silent-after-kv") {
    cache.get("a").then(exchange, (_exchange, _value) => {});
  } else if (path == "/silent-after-timer") {
    timer(1).then(exchange, (exchange, _done) => {
      cache.get(exchange.path).submit();
    });
  }
});
