// runtimes: incremental, minimal, stub
import { Completion, CompletionHandler, Exchange, noop, serve } from "../../assembly/index";
import { Json } from "./support/json";
import { numberOf } from "./support/query";
export { run } from "../../assembly/index";

class Log {
  text: string = "";
  constructor(public exchange: Exchange) {}
}

/** Expects completions 0, 1, 2, … up to `count`, then answers. */
class InOrder {
  next: u32 = 0;
  misplaced: u32 = 0;
  constructor(
    public exchange: Exchange,
    public count: u32,
  ) {}

  take(index: u32): void {
    if (index != this.next++) this.misplaced++;
    if (this.next < this.count) return;
    this.exchange.respond(
      200,
      new Json().number("completed", this.next).number("misplaced", this.misplaced).toString(),
    );
  }
}

class Numbered extends CompletionHandler {
  constructor(
    public index: u32,
    public group: InOrder,
  ) {
    super();
  }

  onComplete(_completion: Completion): void {
    this.group.take(this.index);
  }
}

serve((exchange: Exchange) => {
  if (exchange.path == "/one") {
    noop()
      .timeout(numberOf(exchange, "timeout"))
      .then(exchange, (exchange, done) => {
        exchange.respond(200, new Json().completion(done).number("payload", done.payload_bytes).toString());
      });
  } else if (exchange.path == "/later") {
    const log = new Log(exchange);
    noop().then(log, (log, _done) => log.exchange.respond(200, log.text + " completed"));
    log.text = "submitted";
  } else if (exchange.path == "/many") {
    const count = numberOf(exchange, "n");
    const group = new InOrder(exchange, count);
    for (let i: u32 = 0; i < count; i++) noop().submit(new Numbered(i, group));
  }
});
