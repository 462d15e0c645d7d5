import { Exchange, serve, timer } from "../../assembly/index";
import { Json } from "./support/json";
import { numberOf, textOf } from "./support/query";
import { poll_oneoff } from "./support/wasi_snapshot_preview1";
export { run } from "../../assembly/index";

class Moment {
  start: i64 = Date.now();
  constructor(public exchange: Exchange) {}
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/log") {
    console.log(textOf(exchange, "text"));
    console.error("two\nlines");
    process.stdout.write("one line ");
    process.stdout.write("in two parts\n");
    process.stderr.write("to the other stream\n");
    exchange.respond(200, "logged");
  } else if (path == "/time") {
    timer(numberOf(exchange, "ms")).then(new Moment(exchange), (moment, _done) => {
      const report = new Json().number("start", <f64>moment.start).number("passed", <f64>(Date.now() - moment.start));
      moment.exchange.respond(200, report.number("performance", performance.now()).toString());
    });
  } else if (path == "/random") {
    const report = new Json();
    for (let i = 0; i < 4; i++) report.number(`${i}`, Math.random());
    exchange.respond(200, report.toString());
  } else if (path == "/bytes") {
    const bytes = new Uint8Array(100_000);
    crypto.getRandomValues(bytes);
    exchange.respond(200, bytes.buffer);
  } else if (path == "/wait") {
    const room = memory.data(128, 8);
    // A clock, a minute from now: a host that waited would spin for ever where clocks stand still.
    memory.fill(room, 0, 128);
    store<u64>(room, 60_000_000_000, 24);
    exchange.respond(200, new Json().number("errno", poll_oneoff(room, room + 64, 1, room + 120)).toString());
  } else if (path == "/environment") {
    const report = new Json().number("arguments", process.argv.length).number("variables", process.env.size);
    exchange.respond(200, report.toString());
  } else if (path == "/exit") {
    process.exit(3);
  }
});
