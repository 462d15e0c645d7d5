// runtimes: incremental, minimal, stub
import {
  Completion,
  CompletionHandler,
  Exchange,
  KvValue,
  Status,
  kv,
  origin,
  read,
  serve,
} from "../../assembly/index";
import { Json } from "./support/json";
import { has, numberOf, textOf } from "./support/query";
export { run } from "../../assembly/index";

const cache = kv("CACHE");
const api = origin("API");

class Gather {
  left: u32;
  wrong: u32 = 0;
  unaligned: u32 = 0;
  constructor(
    public exchange: Exchange,
    public count: u32,
  ) {
    this.left = count;
  }

  /** A value is its own index, again and again. */
  take(value: KvValue): void {
    if (value.payload & 7) this.unaligned++;
    const bytes = Uint8Array.wrap(value.bytes());
    if (value.failed || !bytes.length) this.wrong++;
    for (let i = 1; i < bytes.length; i++) if (bytes[i] != bytes[0]) this.wrong++;
    if (--this.left) return;
    const report = new Json().number("wrong", this.wrong).number("unaligned", this.unaligned);
    this.exchange.respond(200, report.toString());
  }
}

/** Keeps a copy of the first value until the second has come. */
class Kept {
  bytes: ArrayBuffer = new ArrayBuffer(0);
  text: string = "";
  constructor(
    public exchange: Exchange,
    public prefix: string,
  ) {}
}

class Counting {
  completed: u32 = 0;
  failed: u32 = 0;
  constructor(
    public exchange: Exchange,
    public count: u32,
  ) {}

  take(done: Completion): void {
    if (done.status != Status.NotFound) this.failed++;
    if (++this.completed < this.count) return;
    this.exchange.respond(200, new Json().number("failed", this.failed).number("pages", memory.size()).toString());
  }
}

/** Answers with how large a completion's payload was, and how large the memory has become. */
class Report extends CompletionHandler {
  constructor(private exchange: Exchange) {
    super();
  }

  onComplete(done: Completion): void {
    const report = new Json().number("status", done.status).number("resource", done.resource);
    this.exchange.respond(200, report.number("bytes", done.payload_bytes).number("pages", memory.size()).toString());
  }
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  const prefix = textOf(exchange, "prefix");
  if (path == "/put") {
    const value = new Uint8Array(numberOf(exchange, "size"));
    value.fill(<u8>numberOf(exchange, "byte"));
    cache.put(textOf(exchange, "key"), value.buffer).submit(new Report(exchange));
  } else if (path == "/get") {
    cache.get(textOf(exchange, "key")).submit(new Report(exchange));
  } else if (path == "/get-many") {
    const gather = new Gather(exchange, numberOf(exchange, "n"));
    for (let i: u32 = 0; i < gather.count; i++) {
      cache.get(`${prefix}${i}`).then(gather, (gather, value) => gather.take(value));
    }
  } else if (path == "/keep") {
    cache.get(`${prefix}0`).then(new Kept(exchange, prefix), (kept, value) => {
      kept.bytes = value.bytes();
      kept.text = value.text();
      cache.get(`${kept.prefix}1`).then(kept, (kept, _value) => {
        const bytes = Uint8Array.wrap(kept.bytes);
        const report = new Json().number("first", bytes[0]).number("last", bytes[bytes.length - 1]);
        kept.exchange.respond(200, report.number("text", kept.text.charCodeAt(kept.text.length - 1)).toString());
      });
    });
  } else if (path == "/fetch") {
    const fetch = api.fetch(textOf(exchange, "url"));
    if (has(exchange, "with-body")) fetch.withBody();
    if (has(exchange, "with-body")) fetch.submit(new Report(exchange));
    else fetch.then(exchange, (exchange, response) => exchange.forward(response));
  } else if (path == "/read") {
    api.fetch(textOf(exchange, "url")).then(exchange, (exchange, response) => {
      read(response.resource).submit(new Report(exchange));
    });
  } else if (path == "/arguments") {
    // More arguments than the guest's own region holds, all on one turn.
    const counting = new Counting(exchange, numberOf(exchange, "n"));
    for (let i: u32 = 0; i < counting.count; i++) {
      cache.get(`${i}/` + "k".repeat(400)).then(counting, (counting, value) => counting.take(value));
    }
  } else if (path == "/pages") {
    // The stub runtime (0) gives out memory from front to back, and doubles the pages when it needs more.
    const used = ASC_RUNTIME == 0 ? heap.alloc(8) : (<usize>memory.size()) << 16;
    exchange.respond(
      200,
      new Json()
        .number("pages", memory.size())
        .number("used", <i32>used)
        .toString(),
    );
  }
});
