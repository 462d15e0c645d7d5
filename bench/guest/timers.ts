// Timers, `size` at a time, until there were `count`. /due: their times are spread over a millisecond for each thousand of
// them, and all are waited for. /cancelled: each would last a minute, and all are cancelled.

import {
  CancelResult,
  Completion,
  CompletionHandler,
  Exchange,
  Status,
  Token,
  cancel,
  serve,
  timer,
} from "../../assembly/index";
import { numberOf } from "./support/number";
export { run } from "../../assembly/index";

const MINUTE_MS: u32 = 60_000;
/** Prime, so that times come in no order. */
const STRIDE: u32 = 7919;

abstract class Timers extends CompletionHandler {
  protected started: u32 = 0;
  private ended: u32 = 0;

  constructor(
    private exchange: Exchange,
    private count: u32,
    protected size: u32,
    private expected: Status,
  ) {
    super();
  }

  start(): void {
    this.started += this.size;
  }

  onComplete(completion: Completion): void {
    assert(completion.status == this.expected);
    if (++this.ended < this.started) return;
    if (this.started < this.count) this.start();
    else this.exchange.respond(200, `${this.ended}`);
  }
}

class Due extends Timers {
  start(): void {
    super.start();
    const spread_ms = max(1, this.size / 1000);
    for (let i: u32 = 0; i < this.size; i++) timer(1 + ((i * STRIDE) % spread_ms)).submit(this);
  }
}

class Cancelled extends Timers {
  start(): void {
    super.start();
    const tokens = new StaticArray<Token>(this.size);
    for (let i: u32 = 0; i < this.size; i++) tokens[i] = timer(MINUTE_MS).submit(this);
    for (let i: u32 = 0; i < this.size; i++) assert(cancel(tokens[i]) == CancelResult.Won);
  }
}

serve((exchange: Exchange) => {
  const count = numberOf(exchange, "count");
  const size = numberOf(exchange, "size");
  if (exchange.path == "/due") new Due(exchange, count, size, Status.Ok).start();
  else new Cancelled(exchange, count, size, Status.Cancelled).start();
});
