// runtimes: incremental, minimal, stub
import {
  Exchange,
  Status,
  Token,
  Wait,
  Wake,
  cancel,
  noop,
  report,
  serve,
  timer,
  wait,
  wake,
} from "../../assembly/index";
import { numberOf } from "./support/query";
export { run } from "../../assembly/index";

/** Who waits, in whichever request. */
let waiting: Token = 0;

serve((exchange: Exchange) => {
  if (exchange.path == "/wait") {
    const operation: Wait = wait();
    operation.deadline_ms = numberOf(exchange, "timeout");
    waiting = operation.then(exchange, (exchange, done) => exchange.respond(200, `${done.status}`));
  } else if (exchange.path == "/wake") {
    for (let times = numberOf(exchange, "times", 1); times > 0; times--) wake(waiting);
    exchange.respond(200, "woken");
  } else if (exchange.path == "/both") {
    waiting = wait().then(exchange, (exchange, done) => exchange.respond(200, `${done.status}`));
    new Wake(waiting).submit();
    new Wake(waiting).submit();
  } else if (exchange.path == "/none") {
    // A timer is no wait, and what has completed is none any more.
    const token = timer(20).then(exchange, (exchange, done) => exchange.respond(200, `${done.status}`));
    wake(token);
    wake(0);
    noop().submit();
  } else if (exchange.path == "/cancel") {
    const token = wait().then(exchange, (exchange, done) => exchange.respond(200, `${done.status}`));
    cancel(token);
    wake(token);
  } else if (exchange.path == "/report") {
    report("my.operation", Status.Network, "the line is dead", 0x0000_0002_0000_0007).then(exchange, (exchange, done) =>
      exchange.respond(200, `${done.status}`),
    );
  }
});
