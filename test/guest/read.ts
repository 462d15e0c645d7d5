import { Content, Exchange, cancel, kv, origin, read, serve, timer } from "../../assembly/index";
import { Json } from "./support/json";
import { numberOf, textOf } from "./support/query";
export { run } from "../../assembly/index";

const api = origin("API");
const cache = kv("CACHE");

class State {
  report: Json = new Json();
  left: i32 = 2;
  constructor(public exchange: Exchange) {}

  note(name: string, content: Content): void {
    this.report.number(name, content.status);
    if (--this.left == 0) this.exchange.respond(200, this.report.toString());
  }
}

/** The bytes as they came, or how it failed. */
function answer(exchange: Exchange, content: Content): void {
  if (content.failed) exchange.respond(200, new Json().completion(content).toString());
  else exchange.respond(200, content);
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/bytes") {
    exchange.read(numberOf(exchange, "max")).timeout(numberOf(exchange, "timeout")).then(exchange, answer);
  } else if (path == "/text") {
    exchange.read().then(exchange, (exchange, content) => {
      const text = content.text();
      exchange.respond(
        200,
        new Json()
          .completion(content)
          .text("text", text)
          .number("units", text.length)
          .bool("isText", content.isText)
          .toString(),
      );
    });
  } else if (path == "/twice") {
    const state = new State(exchange);
    exchange.read().then(state, (state, content) => state.note("first", content));
    exchange.read().then(state, (state, content) => state.note("second", content));
  } else if (path == "/cancelled") {
    cancel(exchange.read().then(exchange, answer));
  } else if (path == "/fetched") {
    api.fetch(textOf(exchange, "url")).then(exchange, (exchange, response) => {
      read(response.resource, numberOf(exchange, "max")).timeout(numberOf(exchange, "timeout")).then(exchange, answer);
    });
  } else if (path == "/fetched-twice") {
    const state = new State(exchange);
    api.fetch("/status/200").then(state, (state, response) => {
      read(response.resource).then(state, (state, content) => state.note("first", content));
      read(response.resource).then(state, (state, content) => state.note("second", content));
    });
  } else if (path == "/read-then-send") {
    const state = new State(exchange);
    exchange.read().then(state, (state, content) => state.note("read", content));
    api
      .fetch("/echo")
      .method("POST")
      .bodyFrom(exchange.resource)
      .then(state, (state, response) => state.note("send", changetype<Content>(response)));
  } else if (path == "/send-then-read") {
    api
      .fetch("/echo")
      .method("POST")
      .bodyFrom(exchange.resource)
      .then(exchange, (exchange, _response) => {
        exchange.read().then(exchange, answer);
      });
  } else if (path == "/late") {
    timer(5).then(exchange, (exchange, _done) => {
      exchange.read().then(exchange, answer);
    });
  } else if (path == "/failed") {
    read(0).then(exchange, (exchange, content) => {
      exchange.respond(200, `${content.status} ${content.text()} ${content.bytes().byteLength} ${content.isText}`);
    });
  } else if (path == "/resource") {
    read(numberOf(exchange, "number")).then(exchange, answer);
  } else if (path == "/grant") {
    read(cache.resource).then(exchange, answer);
  } else if (path == "/memory") {
    exchange.respond(200, new Json().number("pages", memory.size()).toString());
  }
});
