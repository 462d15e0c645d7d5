// Runs one composite over noops again and again until `count` members have completed, then answers `count`.

import {
  Completion,
  CompletionHandler,
  Exchange,
  Gate,
  Gathered,
  Operation,
  RetryPolicy,
  gather,
  noop,
  race,
  serve,
} from "../../assembly/index";
import { numberOf } from "./support/number";
export { run } from "../../assembly/index";

/** Values, made once: submitting them again is what is measured. */
const operation = noop();
const gate = new Gate(8, 65536);
const policy = new RetryPolicy(3);

class Rounds extends CompletionHandler {
  private rounds: u32 = 0;

  constructor(
    private exchange: Exchange,
    private composite: AnyComposite,
    private count: u32,
    private members: u32,
  ) {
    super();
  }

  onComplete(completion: Completion): void {
    assert(!completion.failed);
    if (this.rounds++ * this.members < this.count) this.composite.start(this);
    else this.exchange.respond(200, `${this.count}`);
  }
}

/** Composites have results of different types. */
abstract class AnyComposite {
  abstract start(handler: CompletionHandler): void;
}

class Group<R> extends AnyComposite {
  constructor(private operation: Operation<R>) {
    super();
  }

  start(handler: CompletionHandler): void {
    this.operation.submit(handler);
  }
}

function members(count: u32): Operation<Completion>[] {
  const all = new Array<Operation<Completion>>();
  for (let i: u32 = 0; i < count; i++) all.push(operation);
  return all;
}

function limited(count: u32): Operation<Completion>[] {
  const all = new Array<Operation<Completion>>();
  for (let i: u32 = 0; i < count; i++) all.push(operation.limit(gate));
  return all;
}

function compositeOf(kind: string, count: u32): AnyComposite {
  if (kind == "gather") return new Group<Gathered<Completion>>(gather<Completion>(members(count)));
  if (kind == "race") return new Group<Completion>(race<Completion>(members(count)));
  if (kind == "limit") return new Group<Gathered<Completion>>(gather<Completion>(limited(count)));
  if (kind == "retry") return new Group<Completion>(operation.retry(policy));
  return new Group<Completion>(operation);
}

serve((exchange: Exchange) => {
  const count = numberOf(exchange, "count");
  const size = numberOf(exchange, "size");
  const composite = compositeOf(exchange.path.substring(1), size);
  const rounds = new Rounds(exchange, composite, count, size);
  noop().submit(rounds);
});
