// runtimes: incremental, minimal, stub
import { Completion, Exchange, Headers, Respond, Status, kv, origin, serve } from "../../assembly/index";
import { Json } from "./support/json";
import { has, numberOf, textOf } from "./support/query";
export { run } from "../../assembly/index";

const api = origin("API");
const cache = kv("CACHE");

/** The status of an operation that could not be reported in its own response. */
let last = "";

/** Content of `bytes` bytes, which /changed overwrites at once. */
function content(bytes: i32): Uint8Array {
  const content = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) content[i] = <u8>(i % 251);
  return content;
}

function remember(_exchange: Exchange, done: Completion): void {
  last = new Json().completion(done).toString();
}

function reportFailure(exchange: Exchange, done: Completion): void {
  if (done.failed) exchange.respond(200, new Json().completion(done).toString());
}

class Attempt {
  body: u32 = 0;
  constructor(public exchange: Exchange) {}
}

/** What the query asks for, as an operation whose completion is heard. */
function respondAsAsked(exchange: Exchange): void {
  const operation = new Respond(has(exchange, "resource") ? numberOf(exchange, "resource") : exchange.resource);
  operation.status = numberOf(exchange, "status", 200);
  operation.body = numberOf(exchange, "body");
  operation.forward = has(exchange, "forward");
  if (has(exchange, "text")) operation.text = textOf(exchange, "text");
  if (has(exchange, "name"))
    operation.headers = new Headers().append(textOf(exchange, "name"), textOf(exchange, "value"));
  if (has(exchange, "own-body")) operation.body = exchange.resource;
  if (has(exchange, "headers")) {
    const headers = new Headers();
    for (let i: u32 = 0; i < numberOf(exchange, "headers"); i++) headers.append("x-many", "1");
    operation.headers = headers;
  }
  if (has(exchange, "to-grant")) operation.resource = cache.resource;
  operation.then(exchange, reportFailure);
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/text") {
    exchange.respond(numberOf(exchange, "status", 200), textOf(exchange, "text"));
  } else if (path == "/bytes") {
    exchange.respond(200, content(numberOf(exchange, "n")).buffer);
  } else if (path == "/view") {
    exchange.respond(200, content(1000).subarray(500, 600));
  } else if (path == "/changed") {
    const bytes = content(numberOf(exchange, "n"));
    exchange.respond(200, bytes.buffer);
    bytes.fill(255);
  } else if (path == "/headers") {
    exchange.headers
      .append("Content-Type", "text/html; charset=utf-8")
      .append("set-cookie", "b=2; Path=/")
      .append("set-cookie", "a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT")
      .append("x-repeated", "one")
      .append("X-Repeated", "two")
      .append("x-empty", "");
    exchange.respond(201, "<h1>head</h1>");
  } else if (path == "/asked") {
    respondAsAsked(exchange);
  } else if (path == "/twice") {
    exchange.respond(200, "the first");
    const second = new Respond(exchange.resource);
    second.text = "the second";
    second.then(exchange, remember);
  } else if (path == "/twice-unheard") {
    exchange.respond(200, "the first");
    exchange.respond(200, "the second");
  } else if (path == "/last") {
    exchange.respond(200, last);
  } else if (path == "/memory") {
    exchange.respond(200, new Json().number("pages", memory.size()).toString());
  } else if (path == "/forward") {
    if (has(exchange, "add")) exchange.headers.append("x-added", "by the guest").append("set-cookie", "third=3");
    api.fetch(textOf(exchange, "url")).then(exchange, (exchange, response) => exchange.forward(response));
  } else if (path == "/forward-twice") {
    api.fetch("/status/200").then(exchange, (exchange, response) => {
      exchange.forward(response);
      const second = new Respond(exchange.resource);
      second.body = response.resource;
      second.forward = true;
      second.then(exchange, remember);
    });
  } else if (path == "/bad-status") {
    exchange.respond(99, "x");
  } else if (path == "/bad-header") {
    exchange.headers.append("x", "a\nb");
    exchange.respond(200, "x");
  } else if (path == "/forward-read") {
    api
      .fetch("/status/200")
      .withBody()
      .then(exchange, (exchange, response) => exchange.forward(response));
  } else if (path == "/refused") {
    // Headers that HTTP does not allow: the body is still there for a second attempt.
    api.fetch(textOf(exchange, "url")).then(new Attempt(exchange), (attempt, response) => {
      const operation = new Respond(attempt.exchange.resource);
      attempt.body = response.resource;
      operation.body = response.resource;
      operation.forward = has(attempt.exchange, "forward");
      operation.headers = new Headers().append("x", "a\nb");
      operation.then(attempt, (attempt, done) => {
        if (done.status != Status.Invalid) attempt.exchange.respond(500, `${done.status}`);
        else if (has(attempt.exchange, "leave")) attempt.exchange.respond(200, "left");
        else attempt.exchange.stream(200, attempt.body);
      });
    });
  } else if (path == "/stream") {
    api.fetch(textOf(exchange, "url")).then(exchange, (exchange, response) => {
      exchange.headers.append("x-kind", "streamed");
      exchange.stream(numberOf(exchange, "status", 200), response.resource);
    });
  } else if (path == "/echo") {
    exchange.stream(200, exchange.resource);
  } else if (path == "/timeout") {
    api
      .fetch("/never")
      .timeout(1)
      .then(exchange, (exchange, response) => exchange.forward(response));
  } else if (path == "/discard") {
    // A response that nobody reads or forwards.
    api.fetch(textOf(exchange, "url")).then(exchange, (exchange, response) => {
      exchange.respond(200, `${response.statusCode}`);
    });
  }
});
