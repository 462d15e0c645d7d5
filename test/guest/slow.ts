// Handlers that take as long as the console lets them: test/unit/watch.test.ts lets time pass there.
import {
  Completion,
  CompletionHandler,
  Exchange,
  KvValue,
  gather,
  kv,
  noop,
  serve,
  slices,
  timer,
} from "../../assembly/index";
export { run } from "../../assembly/index";

const cache = kv("CACHE");

function compressTheImage(exchange: Exchange, _value: KvValue): void {
  console.log("slow");
  exchange.respond(200, "done");
}

class Resizer extends CompletionHandler {
  constructor(private exchange: Exchange) {
    super();
  }

  onComplete(_completion: Completion): void {
    console.log("slow");
    this.exchange.respond(200, "done");
  }
}

class Sum {
  total: u64 = 0;
  from: u64 = 0;
}

/** One piece of a long computation. */
function addThousand(sum: Sum): bool {
  for (let end = sum.from + 1000; sum.from < end; sum.from++) sum.total += sum.from;
  return sum.from < 10_000;
}

serve((exchange: Exchange) => {
  if (exchange.path == "/then") cache.get("image").then(exchange, compressTheImage);
  else if (exchange.path == "/object") timer(1).submit(new Resizer(exchange));
  else if (exchange.path == "/group")
    gather<Completion>([noop(), noop()]).then(exchange, (exchange, _results) => {
      console.log("slow");
      exchange.respond(200, "done");
    });
  else if (exchange.path == "/quick") noop().then(exchange, (exchange, _done) => exchange.respond(200, "done"));
  else if (exchange.path == "/slices") {
    const sum = new Sum();
    // Others have their turns between the pieces.
    noop().then(sum, (sum, _done) => {
      console.log(`after ${sum.from}`);
      noop().then(sum, (sum, _done) => console.log(`after ${sum.from}`));
    });
    slices(sum, addThousand).then(new Answer(exchange, sum), (answer, _done) => {
      answer.exchange.respond(200, `${answer.sum.total}`);
    });
  }
});

class Answer {
  constructor(
    public exchange: Exchange,
    public sum: Sum,
  ) {}
}
