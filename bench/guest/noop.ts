// Keeps `batch` noops in flight until `count` have completed, then answers how many those were.

import { Completion, CompletionHandler, Exchange, noop, serve } from "../../assembly/index";
export { run } from "../../assembly/index";

/** One operation serves all submissions: this is the way that allocates nothing. */
const operation = noop();

class Repeater extends CompletionHandler {
  private started: u32 = 0;
  private completed: u32 = 0;

  constructor(
    private exchange: Exchange,
    private count: u32,
  ) {
    super();
  }

  start(): void {
    this.started++;
    operation.submit(this);
  }

  onComplete(_completion: Completion): void {
    this.completed++;
    if (this.started < this.count) this.start();
    else if (this.completed == this.count) this.exchange.respond(200, `${this.completed}`);
  }
}

function numberOf(exchange: Exchange, name: string): u32 {
  const text = exchange.parameter(name);
  return text ? U32.parseInt(text) : 0;
}

serve((exchange: Exchange) => {
  const count = numberOf(exchange, "count");
  const batch = min(count, numberOf(exchange, "batch"));
  const repeater = new Repeater(exchange, count);
  for (let i: u32 = 0; i < batch; i++) repeater.start();
  if (count == 0) exchange.respond(200, "0");
});
