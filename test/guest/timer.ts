import { Completion, CompletionHandler, Exchange, Token, cancel, serve, timer } from "../../assembly/index";
import { Json } from "./support/json";
import { numberOf, textOf } from "./support/query";
export { run } from "../../assembly/index";

/** Answers with the indices of its timers in the order in which they completed. */
class Finish {
  order: string = "";
  constructor(
    public exchange: Exchange,
    public left: i32,
  ) {}

  take(index: i32): void {
    this.order += (this.order.length ? "," : "") + `${index}`;
    if (--this.left == 0) this.exchange.respond(200, new Json().list("order", this.order).toString());
  }
}

class Runner extends CompletionHandler {
  constructor(
    public index: i32,
    public finish: Finish,
  ) {
    super();
  }

  onComplete(_completion: Completion): void {
    this.finish.take(this.index);
  }
}

/** Answers with the index of the timer that completed first, and cancels the others. */
class First extends CompletionHandler {
  constructor(
    public index: i32,
    public finish: Finish,
    public tokens: Token[],
  ) {
    super();
  }

  onComplete(completion: Completion): void {
    if (completion.failed) return;
    this.finish.left = 1;
    this.finish.take(this.index);
    for (let i = 0; i < this.tokens.length; i++) cancel(this.tokens[i]);
  }
}

serve((exchange: Exchange) => {
  if (exchange.path == "/one") {
    timer(numberOf(exchange, "ms"))
      .timeout(numberOf(exchange, "timeout"))
      .then(exchange, (exchange, done) => exchange.respond(200, new Json().completion(done).toString()));
  } else if (exchange.path == "/first") {
    const times = textOf(exchange, "ms").split(",");
    const finish = new Finish(exchange, times.length);
    const tokens: Token[] = [];
    for (let i = 0; i < times.length; i++) {
      tokens.push(timer(<u32>U32.parseInt(times[i])).submit(new First(i, finish, tokens)));
    }
  } else if (exchange.path == "/race") {
    const times = textOf(exchange, "ms").split(",");
    const finish = new Finish(exchange, times.length);
    for (let i = 0; i < times.length; i++) timer(<u32>U32.parseInt(times[i])).submit(new Runner(i, finish));
  }
});
