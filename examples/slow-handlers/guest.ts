// Slow handlers: a long computation in one handler keeps everybody waiting; the same in slices does not.

import { Completion, Exchange, noop, serve, slices } from "wasm-proactor";
export { run } from "wasm-proactor";

const LAST: i32 = 40_000;
const SLICE: i32 = 2_000;

/** Counts primes, and meanwhile how often others had their turn. */
class Count {
  primes: i32 = 0;
  private next: i32 = 2;
  private turnsOfOthers: i32 = 0;
  private isDone: bool = false;

  constructor(private exchange: Exchange) {}

  /** Looks at the next numbers, up to `count` of them. True if there are more. */
  look(count: i32): bool {
    for (let end = min(this.next + count, LAST); this.next < end; this.next++) if (isPrime(this.next)) this.primes++;
    return this.next < LAST;
  }

  answer(): void {
    this.isDone = true;
    this.exchange.respond(200, `${this.primes} primes; others had ${this.turnsOfOthers} turns meanwhile\n`);
  }

  /** Somebody else with something to do, again and again. */
  disturb(): void {
    noop().then<Count>(this, (count, _done) => {
      if (count.isDone) return;
      count.turnsOfOthers++;
      count.disturb();
    });
  }
}

function isPrime(n: i32): bool {
  for (let d = 2; d * d <= n; d++) if (n % d == 0) return false;
  return true;
}

function countAtOnce(count: Count, _done: Completion): void {
  count.look(LAST);
  count.answer();
}

function countSlice(count: Count): bool {
  return count.look(SLICE);
}

serve((exchange: Exchange) => {
  const count = new Count(exchange);
  if (exchange.path == "/at-once") {
    noop().then(count, countAtOnce);
    count.disturb();
  } else if (exchange.path == "/slices") {
    slices(count, countSlice).then(count, (count, _done) => count.answer());
    count.disturb();
  } else {
    exchange.respond(404, "only /at-once and /slices\n");
  }
});
