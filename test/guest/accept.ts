import { Completion, CompletionHandler, EventKind, Exchange, Incoming, Pairs, accept } from "../../assembly/index";
import { Json } from "./support/json";
export { run } from "../../assembly/index";

/** How an accept that cannot be granted has ended. */
class Refused extends CompletionHandler {
  calls: i32 = 0;
  status: i32 = 0;
  message: string = "";

  onComplete(completion: Completion): void {
    this.calls++;
    this.status = completion.status;
    this.message = completion.message();
  }
}

class Server extends CompletionHandler {
  served: i32 = 0;

  onComplete(completion: Completion): void {
    if (completion.failed) return;
    const incoming = changetype<Incoming>(completion);
    const exchange = new Exchange(incoming);
    const path = exchange.path;
    this.served++;
    if (path == "/served") {
      const report = new Json().number("served", this.served).number("kind", incoming.kind);
      exchange.respond(200, report.number("status", incoming.status).toString());
    } else if (path == "/refused") {
      exchange.respond(200, refusals());
    } else {
      exchange.respond(200, describe(exchange, incoming));
    }
  }
}

function describe(exchange: Exchange, incoming: Incoming): string {
  const head = incoming.head();
  return new Json()
    .text("method", exchange.method)
    .text("url", exchange.url)
    .text("path", exchange.path)
    .text("query", exchange.query)
    .text("parameter", exchange.parameter("a"))
    .text("header", exchange.header("X-ONE"))
    .text("missing", exchange.header("x-missing"))
    .number("headerCount", exchange.headerCount)
    .pairs("headers", changetype<Pairs>(changetype<usize>(head)), 1)
    .toString();
}

function refusals(): string {
  const report = new Json();
  for (let i = 0; i < refused.length; i++) {
    const handler = refused[i];
    report.text(`${i}`, `${handler.calls} ${handler.status} ${handler.message}`);
  }
  return report.toString();
}

const refused: Refused[] = [new Refused(), new Refused(), new Refused(), new Refused()];

// No kind, an unknown kind, and a deadline: these have no timer that could belong to a request.
accept(0).submit(refused[0]);
accept(EventKind.Fetch | 2).submit(refused[1]);
accept(EventKind.Fetch).timeout(1000).submit(refused[2]);
accept(EventKind.Fetch).submit(new Server());
accept(EventKind.Fetch).submit(refused[3]);
