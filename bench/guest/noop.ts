// Noops, `count` of them. /noop: in batches of `size`, the next when all of one have completed. /pummel: keeps `size` in
// flight, each completion starts another. Answers how many have completed.

import { Completion, CompletionHandler, Exchange, noop, serve } from "../../assembly/index";
import { numberOf } from "./support/number";
export { run } from "../../assembly/index";

/** One operation serves all submissions: this is the way that allocates nothing. */
const operation = noop();

abstract class Noops extends CompletionHandler {
  protected started: u32 = 0;
  protected completed: u32 = 0;

  constructor(
    protected exchange: Exchange,
    protected count: u32,
    protected size: u32,
  ) {
    super();
  }

  start(): void {
    const size = this.size;
    this.started += size;
    for (let i: u32 = 0; i < size; i++) operation.submit(this);
  }

  protected end(): void {
    this.exchange.respond(200, `${this.completed}`);
  }
}

class Batches extends Noops {
  onComplete(completion: Completion): void {
    assert(!completion.failed);
    if (++this.completed < this.started) return;
    if (this.started < this.count) this.start();
    else this.end();
  }
}

class Pummel extends Noops {
  onComplete(completion: Completion): void {
    assert(!completion.failed);
    this.completed++;
    if (this.started < this.count) {
      this.started++;
      operation.submit(this);
    } else if (this.completed == this.count) this.end();
  }
}

serve((exchange: Exchange) => {
  const count = numberOf(exchange, "count");
  const size = numberOf(exchange, "size");
  if (exchange.path == "/noop") new Batches(exchange, count, size).start();
  else new Pummel(exchange, count, size).start();
});
