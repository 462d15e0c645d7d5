// What requests of one instance share: a fetch, a gate, a channel. test/worker/share.test.ts
import {
  Channel,
  Exchange,
  Gate,
  Response,
  SingleFlight,
  inFlightCount,
  noop,
  origin,
  serve,
} from "../../assembly/index";
export { run } from "../../assembly/index";

const upstream = origin("UPSTREAM");
const flights = new SingleFlight<Response>();
const gate = new Gate(2, 1000);
const lines = new Channel<string>(3);

function answer(exchange: Exchange, response: Response): void {
  exchange.respond(response.failed ? 502 : 200, response.failed ? response.message() : response.text());
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  const query = exchange.query;
  if (path == "/share") flights.share(query, upstream.fetch(query).withBody()).then(exchange, answer);
  else if (path == "/limit") upstream.fetch(query).withBody().limit(gate).then(exchange, answer);
  else if (path == "/send")
    lines.send(query).then(exchange, (exchange, sent) => exchange.respond(sent.failed ? 503 : 200, sent.message()));
  else if (path == "/receive")
    lines
      .receive()
      .then(exchange, (exchange, line) =>
        exchange.respond(line.failed ? 503 : 200, line.failed ? line.message() : line.value),
      );
  else
    noop().then(exchange, (exchange, _done) => {
      exchange.respond(200, `${inFlightCount()} ${gate.running} ${gate.waiting} ${lines.count}`);
    });
});
