// Reads of a store, `count` of them. /batches: `size` at once, the next when all of them have completed. /timeouts: keeps
// `size` in flight, each with a timeout; every hundredth is never answered. Answers how many ended as they should.

import { Completion, CompletionHandler, Exchange, KvValue, Status, kv, serve } from "../../assembly/index";
import { numberOf } from "./support/number";
export { run } from "../../assembly/index";

const store = kv("STORE");
const VALUE_BYTES = 8;
const LONG_MS: u32 = 5000;
const SHORT_MS: u32 = 2;

class Batches extends CompletionHandler {
  private started: u32 = 0;
  private ended: u32 = 0;
  private right: u32 = 0;

  constructor(
    private exchange: Exchange,
    private count: u32,
    private size: u32,
  ) {
    super();
  }

  start(): void {
    const size = this.size;
    this.started += size;
    // One operation serves all submissions, as where no operation differs from the next: no object for each.
    const read = store.get("key");
    for (let i: u32 = 0; i < size; i++) read.submit(this);
  }

  onComplete(completion: Completion): void {
    const value = changetype<KvValue>(completion);
    if (value.found && value.payload_bytes == VALUE_BYTES) this.right++;
    if (++this.ended < this.started) return;
    if (this.started < this.count) this.start();
    else this.exchange.respond(200, `${this.right}`);
  }
}

class Timeouts extends CompletionHandler {
  private started: u32 = 0;
  private ended: u32 = 0;
  private timedOut: u32 = 0;

  constructor(
    private exchange: Exchange,
    private count: u32,
  ) {
    super();
  }

  start(): void {
    if (++this.started % 100) store.get("key").timeout(LONG_MS).submit(this);
    else store.get("never").timeout(SHORT_MS).submit(this);
  }

  onComplete(completion: Completion): void {
    if (completion.failed) {
      assert(completion.status == Status.TimedOut);
      this.timedOut++;
    }
    this.ended++;
    if (this.started < this.count) this.start();
    else if (this.ended == this.count) this.answer();
  }

  private answer(): void {
    assert(this.timedOut == this.count / 100);
    this.exchange.respond(200, `${this.ended}`);
  }
}

serve((exchange: Exchange) => {
  const count = numberOf(exchange, "count");
  const size = numberOf(exchange, "size");
  if (exchange.path == "/batches") {
    new Batches(exchange, count, size).start();
  } else {
    const timeouts = new Timeouts(exchange, count);
    for (let i: u32 = 0; i < size; i++) timeouts.start();
  }
});
