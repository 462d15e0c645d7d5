import {
  Cancel,
  CancelResult,
  Completion,
  CompletionHandler,
  EventKind,
  Exchange,
  Token,
  accept,
  cancel,
  kv,
  noop,
  origin,
  serve,
  timer,
} from "../../assembly/index";
import { Json } from "./support/json";
import { numberOf, textOf } from "./support/query";
export { run } from "../../assembly/index";

const api = origin("API");
const cache = kv("CACHE");

/** What a case remembers between the handlers of two operations. */
class Pair {
  token: Token = 0;
  result: CancelResult = CancelResult.Unknown;
  first: i32 = 1;
  left: i32 = 2;
  text: string = "";
  constructor(public exchange: Exchange) {}

  /** Answers when both handlers have run, after the time that the query gives. */
  done(): void {
    if (--this.left) return;
    timer(numberOf(this.exchange, "wait")).then(this, (pair, _done) => pair.answer());
  }

  private answer(): void {
    this.exchange.respond(
      200,
      new Json().number("result", this.result).number("first", this.first).text("second", this.text).toString(),
    );
  }
}

/** Counts how often it is called, and with what. */
class Counting extends CompletionHandler {
  calls: i32 = 0;
  status: i32 = 1;

  onComplete(completion: Completion): void {
    this.calls++;
    this.status = completion.status;
  }
}

class Once {
  handler: Counting = new Counting();
  constructor(public exchange: Exchange) {}
}

function reportCancelled(exchange: Exchange, completion: Completion): void {
  const report = new Json().completion(completion).number("resource", completion.resource);
  exchange.respond(200, report.number("payload", completion.payload_bytes).toString());
}

let listening: Token = 0;

listening = serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/won") {
    const token = timer(60_000).then(exchange, (exchange, done) => reportCancelled(exchange, done));
    exchange.headers.append("x-result", `${cancel(token)}`).append("x-again", `${cancel(token)}`);
  } else if (path == "/once") {
    const once = new Once(exchange);
    const token = timer(1).submit(once.handler);
    cancel(token);
    cancel(token);
    timer(5).then(once, (once, _done) => {
      const report = new Json().number("calls", once.handler.calls).number("status", once.handler.status);
      once.exchange.respond(200, report.toString());
    });
  } else if (path == "/too-late") {
    const pair = new Pair(exchange);
    pair.token = noop().then(pair, (pair, _done) => {
      // Its slot is free while its handler runs, so even this is too late.
      pair.exchange.respond(200, new Json().number("result", cancel(pair.token)).toString());
    });
  } else if (path == "/unknown") {
    const token = ((<u64>numberOf(exchange, "generation")) << 32) | numberOf(exchange, "slot");
    exchange.respond(200, new Json().number("result", cancel(token)).toString());
  } else if (path == "/pending") {
    // Both are due at once: the first handler cancels what has succeeded already and was not dispatched yet.
    const pair = new Pair(exchange);
    timer(5).then(pair, (pair, done) => {
      pair.first = done.status;
      pair.result = cancel(pair.token);
      pair.done();
    });
    pair.token = timer(5).then(pair, (pair, done) => {
      pair.text = `${done.status} ${done.message()}`;
      pair.done();
    });
  } else if (path == "/pending-fetch") {
    const pair = new Pair(exchange);
    api.fetch("/barrier/2/2").then(pair, (pair, response) => {
      pair.first = response.status;
      pair.result = cancel(pair.token);
      pair.done();
    });
    pair.token = api.fetch("/barrier/2/2").then(pair, (pair, response) => {
      pair.text = `${response.status} ${response.resource} ${response.statusCode} ${response.payload_bytes}`;
      pair.done();
    });
  } else if (path == "/fetch") {
    const token = api
      .fetch(textOf(exchange, "url"))
      .then(exchange, (exchange, response) => reportCancelled(exchange, response));
    const pair = new Pair(exchange);
    pair.token = token;
    timer(numberOf(exchange, "after")).then(pair, (pair, _done) => {
      cancel(pair.token);
    });
  } else if (path == "/kv") {
    cancel(cache.get("a").then(exchange, (exchange, value) => reportCancelled(exchange, value)));
  } else if (path == "/operation") {
    // The operation itself, for whoever wants to hear the host's answer.
    const pair = new Pair(exchange);
    const token = timer(60_000).then(pair, (pair, done) => {
      pair.first = done.status;
      pair.done();
    });
    new Cancel(token).then(pair, (pair, done) => {
      pair.result = done.auxiliary;
      pair.text = `${done.status}`;
      pair.done();
    });
  } else if (path == "/operation-too-late") {
    const pair = new Pair(exchange);
    pair.token = noop().then(pair, (pair, _done) => {
      new Cancel(pair.token).then(pair, (pair, done) => {
        pair.exchange.respond(200, new Json().completion(done).number("result", done.auxiliary).toString());
      });
    });
  } else if (path == "/reuse") {
    // The slot of a cancelled operation is nobody else's until its handler has run.
    const token = timer(60_000).submit(new Counting());
    cancel(token);
    let reused = 0;
    for (let i = 0; i < 100; i++) if (<u32>noop().submit(new Counting()) == <u32>token) reused++;
    exchange.respond(200, new Json().number("reused", reused).toString());
  } else if (path == "/accept") {
    exchange.respond(200, new Json().number("result", cancel(listening)).toString());
  } else if (path == "/accept-anew") {
    cancel(listening);
    noop().then(exchange, (exchange, _done) => {
      accept(EventKind.Fetch).then(exchange, (_before, incoming) => {
        new Exchange(incoming).respond(200, "the second accept");
      });
      exchange.respond(200, "renewed");
    });
  } else {
    exchange.respond(200, "served");
  }
});
