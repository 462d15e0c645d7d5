// Limit: so many operations at once and no more. The others wait, or are refused.

import { Completion, Exchange, Gate, Operation, Response, Status, Task, gatherSettled, origin } from "wasm-proactor";
import { serve, timer } from "wasm-proactor";
export { run } from "wasm-proactor";

const api = origin("API");

/** Five at once. Up to 1,000 more wait, first come, first served. */
const five = new Gate(5);

/** Two at once, and nobody waits. */
const two = new Gate(2, 0);

serve((exchange: Exchange) => {
  if (exchange.path == "/items") fetchItems(exchange);
  else if (exchange.path == "/workers") employ(exchange);
  else exchange.respond(404, "try /items or /workers");
});

// A hundred items, five at a time.

/** GET /items: fetches a hundred, and tells how many came. */
function fetchItems(exchange: Exchange): void {
  const fetches: Operation<Response>[] = [];
  for (let i = 0; i < 100; i++) fetches.push(api.fetch(`/item/${i}`).withBody().limit(five));
  gatherSettled<Response>(fetches).then(exchange, (exchange, items) => {
    let good = 0;
    for (let i = 0; i < items.count; i++) if (!items.at(i).failed && items.at(i).statusCode == 200) good++;
    exchange.respond(200, `${good} of ${items.count}`);
  });
}

// Four workers for two places.

/** What happens, in order. */
class Log {
  lines: string[] = [];
  private left: i32 = 4;

  constructor(private exchange: Exchange) {}

  add(worker: i32, event: string): void {
    this.lines.push(`worker ${worker} ${event}`);
  }

  end(): void {
    if (--this.left == 0) this.exchange.respond(200, this.lines.join("\n"));
  }
}

/** Starts when it has a place, and has it until it is done. */
class Work extends Task<i32> {
  constructor(
    public number: i32,
    public log: Log,
  ) {
    super();
  }

  resume(completion: Completion): void {
    switch (this.step) {
      case 0:
        this.log.add(this.number, "has a place");
        return this.next(timer(10), 1);
      default:
        if (completion.failed) return this.failAs(completion);
        this.log.add(this.number, "gives it back");
        return this.done(this.number);
    }
  }
}

/** GET /workers: four come at once, and two find no place. */
function employ(exchange: Exchange): void {
  const log = new Log(exchange);
  for (let number = 1; number <= 4; number++) {
    const work = new Work(number, log);
    work.limit(two).then(work, (work, result) => {
      if (result.status == Status.Again) work.log.add(work.number, "is refused");
      work.log.end();
    });
  }
}
