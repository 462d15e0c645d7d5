// runtimes: incremental, minimal
import { Exchange, kv, percentDecode, serve } from "../../assembly/index";
import { Json } from "./support/json";
import { has } from "./support/query";
export { run } from "../../assembly/index";

const cache = kv("CACHE");

// Text that is no text: halves of surrogate pairs, alone, swapped and at the end.
const broken =
  String.fromCharCode(0xd83d) +
  "a" +
  String.fromCharCode(0xde42) +
  String.fromCharCode(0xd83d) +
  "\u{1f642}" +
  String.fromCharCode(0xdbff);

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/echo") {
    exchange.read().then(exchange, (exchange, content) => exchange.respond(200, content.text()));
  } else if (path == "/broken") {
    exchange.respond(200, broken);
  } else if (path == "/broken-key") {
    cache.putText(broken, broken).then(exchange, (exchange, _done) => {
      cache.list().then(exchange, (exchange, keys) => exchange.respond(200, keys.key(0)));
    });
  } else if (path == "/parameter") {
    // The name is the body, so that it may be any text.
    exchange.read().then(exchange, (exchange, content) => {
      exchange.respond(200, new Json().text("value", exchange.parameter(content.text())).toString());
    });
  } else if (path == "/decode") {
    exchange.read().then(exchange, (exchange, content) => {
      const form = has(exchange, "form");
      exchange.respond(200, new Json().text("text", percentDecode(content.text(), form)).toString());
    });
  } else {
    exchange.respond(200, new Json().text("path", path).text("query", exchange.query).toString());
  }
});
