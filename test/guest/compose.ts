import {
  Channel,
  Exchange,
  Gathered,
  Gate,
  KvValue,
  RetryPolicy,
  Scope,
  SingleFlight,
  Status,
  Task,
  Response,
  Value,
  any,
  gather,
  gatherSettled,
  kv,
  noop,
  origin,
  race,
  sequence,
  serve,
  timer,
  Completion,
} from "../../assembly/index";
export { run } from "../../assembly/index";
const cache = kv("CACHE");
const api = origin("API");
const gate = new Gate(2);
const shared = new SingleFlight<Response>();
const numbers = new Channel<i32>(2);
const words = new Channel<string>(0);

class Two extends Task<string> {
  private first: string = "";
  resume(completion: Completion): void {
    switch (this.step) {
      case 0:
        return this.next(timer(5), 1);
      case 1: {
        this.first = "a";
        return this.next(cache.get("k"), 2);
      }
      case 2: {
        const value = changetype<KvValue>(completion);
        if (value.failed && value.status != Status.NotFound) return this.failAs(completion);
        return this.done(this.first + (value.found ? value.text() : "-"));
      }
      default:
        return this.fail(Status.Failed, "no step");
    }
  }
}

serve((exchange: Exchange) => {
  if (exchange.path == "/gather") {
    gather<KvValue>([cache.get("a"), cache.get("b")]).then(exchange, (exchange, values) => {
      exchange.respond(200, values.failed ? values.message() : values.at(0).text() + values.at(1).text());
    });
  } else if (exchange.path == "/retry") {
    api
      .fetch("/page")
      .limit(gate)
      .retry(new RetryPolicy(3))
      .timeout(5000)
      .then(exchange, (exchange, response) => exchange.forward(response));
  } else if (exchange.path == "/task") {
    new Two().then(exchange, (exchange, value) => exchange.respond(200, value.value));
  } else if (exchange.path == "/share") {
    shared
      .share("page", api.fetch("/page").withBody())
      .then(exchange, (exchange, value) => exchange.respond(200, value.text()));
  } else if (exchange.path == "/send") {
    words
      .send("hello")
      .within(new Scope())
      .then(exchange, (exchange, value) => exchange.respond(200, "sent"));
  } else if (exchange.path == "/receive") {
    words.receive().then(exchange, (exchange, value) => exchange.respond(200, value.value));
  } else {
    race<Completion>([timer(5), timer(7)])
      .map<u32>((result) => result.auxiliary)
      .then(exchange, (exchange, value) => exchange.respond(200, `${value.value}`));
  }
});
