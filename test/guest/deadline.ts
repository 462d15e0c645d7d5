import {
  Cancel,
  Completion,
  CompletionHandler,
  Exchange,
  Respond,
  close,
  kv,
  noop,
  origin,
  read,
  serve,
  timer,
} from "../../assembly/index";
import { Json } from "./support/json";
import { numberOf, textOf } from "./support/query";
export { run } from "../../assembly/index";

const cache = kv("CACHE");
const api = origin("API");

/** Answers with what any operation came to. */
class Report extends CompletionHandler {
  constructor(private exchange: Exchange) {
    super();
  }

  onComplete(completion: Completion): void {
    this.exchange.respond(200, new Json().completion(completion).toString());
  }
}

/** Submits the operation that the query names, with the deadline that it gives. */
serve((exchange: Exchange) => {
  const ms = numberOf(exchange, "timeout");
  const name = textOf(exchange, "operation");
  const report = new Report(exchange);
  if (name == "noop") noop().timeout(ms).submit(report);
  else if (name == "timer") timer(1000).timeout(ms).submit(report);
  else if (name == "cancel") new Cancel(0).timeout(ms).submit(report);
  else if (name == "close") close(0).timeout(ms).submit(report);
  else if (name == "read") read(exchange.resource).timeout(ms).submit(report);
  else if (name == "fetch") api.fetch("/status/200").timeout(ms).submit(report);
  else if (name == "fetch-body") api.fetch("/status/200").withBody().timeout(ms).submit(report);
  else if (name == "kv.get") cache.get("a").timeout(ms).submit(report);
  else if (name == "kv.put") cache.putText("a", "x").timeout(ms).submit(report);
  else if (name == "kv.remove") cache.remove("a").timeout(ms).submit(report);
  else if (name == "kv.list") cache.list().timeout(ms).submit(report);
  else if (name == "respond") {
    const respond = new Respond(exchange.resource);
    respond.text = '{"status":0}';
    respond.timeout(ms).submit();
  }
});
