// runtimes: incremental, minimal, stub
import {
  Exchange,
  Fetch,
  Origin,
  RedirectMode,
  Response,
  Token,
  cancel,
  kv,
  origin,
  read,
  serve,
  timer,
} from "../../assembly/index";
import { Json } from "./support/json";
import { has, numberOf, textOf } from "./support/query";
export { run } from "../../assembly/index";

const api = origin("API");
const cache = kv("CACHE");

/** A fetch as the query asks for. */
function asked(exchange: Exchange): Fetch {
  const fetch = (has(exchange, "grant") ? new Origin(numberOf(exchange, "grant")) : api).fetch(textOf(exchange, "url"));
  fetch.timeout(numberOf(exchange, "timeout"));
  if (has(exchange, "method")) fetch.method(textOf(exchange, "method"));
  if (has(exchange, "body")) fetch.bodyText(textOf(exchange, "body"));
  if (has(exchange, "own-body")) fetch.bodyFrom(exchange.resource);
  if (has(exchange, "redirect")) fetch.redirect(<RedirectMode>numberOf(exchange, "redirect"));
  if (has(exchange, "max")) fetch.withBody(numberOf(exchange, "max"));
  for (let i = 1; has(exchange, `name${i}`); i++)
    fetch.header(textOf(exchange, `name${i}`), textOf(exchange, `value${i}`));
  return fetch;
}

function report(exchange: Exchange, response: Response): void {
  const report = new Json().completion(response);
  if (!response.failed) {
    report.number("code", response.statusCode).bool("left", response.resource != 0);
    report
      .text("type", response.header("CONTENT-TYPE"))
      .pairs("headers", response.headers)
      .text("text", response.resource ? "" : response.text());
  }
  exchange.respond(200, report.toString());
}

/** Counts what n operations come to, and answers when all have completed. */
class Gather {
  ok: u32 = 0;
  cancelled: u32 = 0;
  failed: u32 = 0;
  constructor(
    public exchange: Exchange,
    public left: u32,
  ) {}

  take(response: Response): void {
    if (!response.failed) this.ok++;
    else if (response.status == -8) this.cancelled++;
    else this.failed++;
    if (--this.left) return;
    const report = new Json().number("ok", this.ok).number("cancelled", this.cancelled).number("failed", this.failed);
    this.exchange.respond(200, report.toString());
  }
}

class Tokens {
  list: Token[] = [];
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/fetch") {
    asked(exchange).then(exchange, report);
  } else if (path == "/bytes") {
    asked(exchange).then(exchange, (exchange, response) => exchange.respond(200, response));
  } else if (path == "/upload") {
    // From the client to the upstream and back: nothing of it comes into the guest.
    asked(exchange).then(exchange, (exchange, response) => exchange.forward(response));
  } else if (path == "/pipe") {
    api.fetch(textOf(exchange, "from")).then(exchange, (exchange, response) => {
      api
        .fetch("/mirror")
        .method("POST")
        .bodyFrom(response.resource)
        .then(exchange, (exchange, response) => exchange.forward(response));
    });
  } else if (path == "/read-later") {
    api.fetch(textOf(exchange, "url")).then(exchange, (exchange, response) => {
      read(response.resource).then(exchange, (exchange, content) => exchange.respond(200, content.text()));
    });
  } else if (path == "/many") {
    const count = numberOf(exchange, "n");
    const gather = new Gather(exchange, count);
    for (let i: u32 = 0; i < count; i++) {
      api
        .fetch(textOf(exchange, "url"))
        .withBody()
        .then(gather, (gather, response) => gather.take(response));
    }
  } else if (path == "/waiting") {
    // The seventh waits for a connection. It is cancelled first, the others a little later.
    const gather = new Gather(exchange, 8);
    const tokens = new Tokens();
    for (let i = 1; i <= 6; i++) {
      tokens.list.push(api.fetch(`/never?${i}`).then(gather, (gather, response) => gather.take(response)));
    }
    const seventh = api.fetch("/never?7").then(gather, (gather, response) => gather.take(response));
    api.fetch("/status/200?8").then(gather, (gather, response) => gather.take(response));
    cancel(seventh);
    timer(numberOf(exchange, "after")).then(tokens, (tokens, _done) => {
      for (let i = 0; i < tokens.list.length; i++) cancel(tokens.list[i]);
    });
  } else if (path == "/upload-waiting") {
    // A body that streams on is to be sent by a fetch that never gets a connection.
    api.fetch("/endless").then(exchange, (exchange, response) => {
      const gather = new Gather(exchange, 7);
      const tokens = new Tokens();
      for (let i = 1; i <= 6; i++) {
        tokens.list.push(api.fetch("/never").then(gather, (gather, response) => gather.take(response)));
      }
      const upload = api.fetch("/mirror").method("POST").bodyFrom(response.resource);
      tokens.list.push(upload.then(gather, (gather, response) => gather.take(response)));
      timer(10).then(tokens, (tokens, _done) => {
        for (let i = 0; i < tokens.list.length; i++) cancel(tokens.list[i]);
      });
    });
  } else if (path == "/kv-beside") {
    // KV calls and fetches share the context's connections.
    const gather = new Gather(exchange, 12);
    for (let i = 0; i < 6; i++) {
      cache.get("nothing").then(gather, (gather, value) => gather.take(changetype<Response>(value)));
      api.fetch("/status/200").then(gather, (gather, response) => gather.take(response));
    }
  } else if (path == "/twice") {
    // One value, submitted twice, the second time with one header more.
    const fetch = asked(exchange).withBody();
    const gather = new Gather(exchange, 2);
    fetch.then(gather, (gather, response) => gather.take(response));
    fetch.header("x-second", "yes").then(gather, (gather, response) => gather.take(response));
  } else if (path == "/method-last") {
    api.fetch("/echo").header("x-one", "1").header("x-two", "2").method("PUT").withBody().then(exchange, report);
  } else if (path == "/forgotten") {
    api.fetch("/echo").then(exchange, (exchange, response) => exchange.respond(200, response));
  } else if (path == "/failed") {
    new Origin(0).fetch("/echo").then(exchange, (exchange, response) => {
      const report = new Json().number("headers", response.headers.count).text("type", response.header("content-type"));
      report.text("text", response.text()).number("bytes", response.bytes().byteLength);
      exchange.respond(200, report.number("code", response.statusCode).toString());
    });
  } else if (path == "/kv-as-origin") {
    new Origin(cache.resource).fetch("/status/200").then(exchange, report);
  } else if (path == "/memory") {
    exchange.respond(200, new Json().number("pages", memory.size()).toString());
  }
});
