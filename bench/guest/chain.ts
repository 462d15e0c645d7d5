// A chain of `count` noops: each is started by the completion of the one before, and hands on how many there were.

import { Exchange, noop, serve } from "../../assembly/index";
import { numberOf } from "./support/number";
export { run } from "../../assembly/index";

class Chain {
  value: u32 = 0;

  constructor(
    public exchange: Exchange,
    public count: u32,
  ) {}

  next(): void {
    if (this.value == this.count) this.exchange.respond(200, `${this.value}`);
    else noop().then(this, (chain, done) => chain.add(done.failed ? 0 : 1));
  }

  private add(value: u32): void {
    this.value += value;
    this.next();
  }
}

serve((exchange: Exchange) => {
  new Chain(exchange, numberOf(exchange, "count")).next();
});
