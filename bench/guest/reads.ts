// Reads `count` keys, 0, 1, 2 and so on, in one of several ways. Answers how many were read, how many looks were in vain,
// and for how many milliseconds in all what had been read waited for somebody to take it.
//
//   /polling      all are started; every `size` ms each is looked at that was not taken yet
//   /completion   all are started; each is taken when it completes
//   /workers      `size` at once, each followed by the next
//   /one-by-one   a sequence
//   /limit        gathered, through a gate of `size`

import {
  Completion,
  CompletionHandler,
  Exchange,
  Gate,
  Gathered,
  KvValue,
  Operation,
  gather,
  kv,
  sequence,
  serve,
  timer,
} from "../../assembly/index";
import { numberOf } from "./support/number";
export { run } from "../../assembly/index";

const device = kv("DEVICE");

abstract class Reads extends CompletionHandler {
  protected taken: u32 = 0;
  protected inVain: u32 = 0;
  protected waitedMs: i64 = 0;
  private started: u32 = 0;

  constructor(
    private exchange: Exchange,
    protected count: u32,
    protected size: u32,
  ) {
    super();
  }

  abstract start(): void;

  protected hasMore(): bool {
    return this.started < this.count;
  }

  protected startOne(handler: CompletionHandler): void {
    device.get(`${this.started++}`).submit(handler);
  }

  protected take(): void {
    if (++this.taken == this.count) this.exchange.respond(200, `${this.taken} ${this.inVain} ${this.waitedMs}`);
  }
}

class AtCompletion extends Reads {
  start(): void {
    while (this.hasMore()) this.startOne(this);
  }

  onComplete(completion: Completion): void {
    assert(!completion.failed);
    this.take();
  }
}

class Workers extends Reads {
  start(): void {
    for (let i: u32 = 0; i < this.size && this.hasMore(); i++) this.startOne(this);
  }

  onComplete(completion: Completion): void {
    assert(!completion.failed);
    if (this.hasMore()) this.startOne(this);
    this.take();
  }
}

/** Becomes ready, and tells nobody. */
class Handle extends CompletionHandler {
  readyAt: i64 = -1;

  onComplete(completion: Completion): void {
    assert(!completion.failed);
    this.readyAt = Date.now();
  }
}

class Polling extends Reads {
  private handles: Handle[] = [];

  start(): void {
    while (this.hasMore()) {
      const handle = new Handle();
      this.handles.push(handle);
      this.startOne(handle);
    }
    this.later();
  }

  private later(): void {
    timer(this.size).submit(this);
  }

  onComplete(_completion: Completion): void {
    const now = Date.now();
    const pending: Handle[] = [];
    for (let i = 0; i < this.handles.length; i++) {
      const handle = this.handles[i];
      if (handle.readyAt < 0) {
        this.inVain++;
        pending.push(handle);
      } else {
        this.waitedMs += now - handle.readyAt;
        this.take();
      }
    }
    this.handles = pending;
    if (pending.length > 0) this.later();
  }
}

function readsOf(count: u32): Operation<KvValue>[] {
  const reads: Operation<KvValue>[] = [];
  for (let i: u32 = 0; i < count; i++) reads.push(device.get(`${i}`));
  return reads;
}

function limited(count: u32, limit: i32): Operation<KvValue>[] {
  const gate = new Gate(limit, count);
  const reads: Operation<KvValue>[] = [];
  for (let i: u32 = 0; i < count; i++) reads.push(device.get(`${i}`).limit(gate));
  return reads;
}

function answer(exchange: Exchange, values: Gathered<KvValue>): void {
  assert(!values.failed);
  exchange.respond(200, `${values.count} 0 0`);
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  const count = numberOf(exchange, "count");
  const size = numberOf(exchange, "size");
  if (path == "/polling") new Polling(exchange, count, size).start();
  else if (path == "/completion") new AtCompletion(exchange, count, size).start();
  else if (path == "/workers") new Workers(exchange, count, size).start();
  else if (path == "/one-by-one") sequence<KvValue>(readsOf(count)).then(exchange, answer);
  else gather<KvValue>(limited(count, size)).then(exchange, answer);
});
