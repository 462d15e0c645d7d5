// What the HTTP cells ask for: an answer without I/O, one KV read, ten at once. Its twin is ../workerd/plain.ts.

import { Exchange, KvValue, RequestHeaders, kv, serve } from "../../assembly/index";
export { run } from "../../assembly/index";

const READS = 10;
const store = kv("CACHE");

/** Ten values, joined in the order of their keys whatever the order in which they come. */
class Values {
  private texts: StaticArray<string> = new StaticArray<string>(READS);
  private left: i32 = READS;

  constructor(private exchange: Exchange) {}

  put(index: i32, text: string): void {
    this.texts[index] = text;
    if (--this.left == 0) answer(this.exchange, this.texts.join(""));
  }
}

class Read {
  constructor(
    public values: Values,
    public index: i32,
  ) {}

  take(value: KvValue): void {
    this.values.put(this.index, value.text());
  }
}

function readTen(exchange: Exchange): void {
  const values = new Values(exchange);
  for (let i = 0; i < READS; i++) {
    store.get(`key-${i}`).then(new Read(values, i), (read, value) => read.take(value));
  }
}

function answer(exchange: Exchange, text: string): void {
  exchange.headers.append("content-type", "text/plain");
  exchange.respond(200, text);
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/hello") answer(exchange, "hello");
  else if (path == "/kv") store.get("key-0").then(exchange, (exchange, value) => answer(exchange, value.text()));
  else if (path == "/kv-10") readTen(exchange);
  else exchange.respond(404, "");
}, RequestHeaders.Omitted);
