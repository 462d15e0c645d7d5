// Concurrency: the same reads one after the other and so many at once, and how much sooner the latter are done.

import { Completion, Exchange, Gate, KvValue, Operation, gather, kv, sequence, serve } from "wasm-proactor";
export { run } from "wasm-proactor";

const COUNT_MAX = 1000;

const store = kv("STORE");

/** GET /?reads=100&limit=5 */
serve((exchange: Exchange) => {
  const reads = countOf(exchange, "reads", 100);
  const limit = countOf(exchange, "limit", 5);
  if (reads == 0 || limit == 0) exchange.respond(400, `reads and limit are 1 to ${COUNT_MAX}`);
  else compare(new Comparison(exchange, reads, limit));
});

/** The parameter's number; 0 if it is none, or too large. */
function countOf(exchange: Exchange, name: string, otherwise: i32): i32 {
  const text = exchange.parameter(name);
  const count = text === null ? otherwise : I32.parseInt(text);
  return count >= 1 && count <= COUNT_MAX ? count : 0;
}

/** One comparison: what its handlers need to know. */
class Comparison {
  oneByOneMs: i64 = 0;
  private since: i64 = Date.now();
  private gate: Gate;

  constructor(
    public exchange: Exchange,
    public count: i32,
    public limit: i32,
  ) {
    this.gate = new Gate(limit);
  }

  /** As many reads, none of them started. The gate lets so many of them run at once. */
  get reads(): Operation<KvValue>[] {
    const reads: Operation<KvValue>[] = [];
    for (let i = 0; i < this.count; i++) reads.push(store.get("item").limit(this.gate));
    return reads;
  }

  /** Milliseconds since it was last called. The clock moves with each event, so it is right in a handler. */
  lap(): i64 {
    const before = this.since;
    this.since = Date.now();
    return this.since - before;
  }

  refuse(failed: Completion): void {
    this.exchange.respond(502, failed.message());
  }
}

function compare(comparison: Comparison): void {
  sequence<KvValue>(comparison.reads).then(comparison, (comparison, values) => {
    if (values.failed) return comparison.refuse(values);
    comparison.oneByOneMs = comparison.lap();
    gather<KvValue>(comparison.reads).then(comparison, (comparison, values) => {
      if (values.failed) return comparison.refuse(values);
      answer(comparison, comparison.lap());
    });
  });
}

function answer(comparison: Comparison, atOnceMs: i64): void {
  const speedUp = <f64>comparison.oneByOneMs / <f64>max(atOnceMs, 1);
  const lines = [
    `${comparison.count} reads one by one: ${comparison.oneByOneMs} ms`,
    `${comparison.count} reads, ${comparison.limit} at once: ${atOnceMs} ms`,
    `speed-up: ${speedUp}`,
  ];
  comparison.exchange.respond(200, lines.join("\n"));
}
