// Payloads of `size` bytes, `count` of them, one after the other. /in: reads each from KV and has a copy of its own. /out:
// writes each to KV. Answers how many there were.

import { Completion, CompletionHandler, Exchange, KvValue, kv, serve } from "../../assembly/index";
import { numberOf } from "./support/number";
export { run } from "../../assembly/index";

const values = kv("STORE");

abstract class Copies extends CompletionHandler {
  private completed: u32 = 0;
  protected key: string;

  constructor(
    private exchange: Exchange,
    private count: u32,
    protected size: u32,
  ) {
    super();
    this.key = `${size}`;
  }

  onComplete(completion: Completion): void {
    assert(!completion.failed);
    this.look(completion);
    if (++this.completed < this.count) this.start();
    else this.exchange.respond(200, `${this.completed}`);
  }

  abstract start(): void;

  protected look(_completion: Completion): void {}
}

class In extends Copies {
  start(): void {
    values.get(this.key).submit(this);
  }

  protected look(completion: Completion): void {
    const bytes = changetype<KvValue>(completion).bytes();
    assert(bytes.byteLength == this.size);
    if (this.size == 0) return;
    assert(load<u8>(changetype<usize>(bytes)) == 0);
    assert(load<u8>(changetype<usize>(bytes) + this.size - 1) == <u8>(this.size - 1));
  }
}

class Out extends Copies {
  private bytes: ArrayBuffer | null = null;

  start(): void {
    values.put(this.key, this.value()).submit(this);
  }

  /** Made once: what is measured is how it leaves. */
  private value(): ArrayBuffer {
    const made = this.bytes;
    if (made) return made;
    const bytes = new ArrayBuffer(this.size);
    for (let at: u32 = 0; at < this.size; at++) store<u8>(changetype<usize>(bytes) + at, <u8>at);
    this.bytes = bytes;
    return bytes;
  }
}

serve((exchange: Exchange) => {
  const count = numberOf(exchange, "count");
  const size = numberOf(exchange, "size");
  if (exchange.path == "/in") new In(exchange, count, size).start();
  else new Out(exchange, count, size).start();
});
