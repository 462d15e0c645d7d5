// Chain: noops one after the other, each started by the handler of the one before.

import { Exchange, noop } from "../../../assembly/index";

export class Chain {
  constructor(
    private exchange: Exchange,
    private left: u32,
  ) {}

  step(): void {
    if (this.left-- == 0) this.exchange.respond(200, "end of chain");
    else noop().then(this, (chain, _done) => chain.step());
  }
}
