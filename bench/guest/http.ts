// What the HTTP cells ask for: an answer without I/O, one KV read, ten at once, five fetches at once, the request's body,
// an upstream's answer. Its twin is ../peers/plain/http.ts.

import { Exchange, KvValue, RequestHeaders, Response, kv, origin, serve } from "../../assembly/index";
export { run } from "../../assembly/index";

const READS = 10;
const FETCHES = 5;

const store = kv("CACHE");
const upstream = origin("UPSTREAM");

/** Texts, joined in the order in which they were asked for, whatever the order in which they come. */
class Texts {
  private texts: StaticArray<string>;
  private left: i32;

  constructor(
    private exchange: Exchange,
    count: i32,
  ) {
    this.texts = new StaticArray<string>(count);
    this.left = count;
  }

  put(index: i32, text: string): void {
    this.texts[index] = text;
    if (--this.left == 0) answer(this.exchange, this.texts.join(""));
  }
}

/** Which of the texts an operation brings. */
class Part {
  constructor(
    private whole: Texts,
    private index: i32,
  ) {}

  take(text: string): void {
    this.whole.put(this.index, text);
  }
}

function readTen(exchange: Exchange): void {
  const texts = new Texts(exchange, READS);
  for (let i = 0; i < READS; i++) {
    store.get(`key-${i}`).then(new Part(texts, i), (part: Part, value: KvValue) => part.take(value.text()));
  }
}

function fetchFive(exchange: Exchange): void {
  const texts = new Texts(exchange, FETCHES);
  for (let i = 0; i < FETCHES; i++) {
    upstream
      .fetch(`/part/${i}`)
      .withBody()
      .then(new Part(texts, i), (part: Part, response: Response) => part.take(response.text()));
  }
}

function answer<T>(exchange: Exchange, body: T): void {
  exchange.headers.append("content-type", "text/plain");
  exchange.respond(200, body);
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/hello") answer(exchange, "hello");
  else if (path == "/kv") store.get("key-0").then(exchange, (exchange, value) => answer(exchange, value));
  else if (path == "/kv-10") readTen(exchange);
  else if (path == "/fetch-5") fetchFive(exchange);
  else if (path == "/echo") exchange.read().then(exchange, (exchange, content) => answer(exchange, content));
  else if (path == "/forward")
    upstream.fetch("/large").then(exchange, (exchange, response) => exchange.forward(response));
  else exchange.respond(404, "");
}, RequestHeaders.Omitted);
