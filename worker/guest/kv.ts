// KV: reads, writes, removes and lists keys. The host knows the store's limits; its words are the refusal's.

import { Exchange, KvKeys, percentDecode } from "../../assembly/index";
import { answerJson, refuse, refuseFailed } from "./answer";
import { cache } from "./grants";
import { quote } from "./json";
import { numberParameter } from "./number";

const LIST_COUNT_MAX = 1_000;

/** GET /kv/<key> */
export function readKey(exchange: Exchange): void {
  cache.get(keyOf(exchange)).then(exchange, (exchange, value) => {
    if (value.failed) return refuseFailed(exchange, value);
    // Never as HTML: anybody may have written it.
    exchange.headers.append("content-type", "text/plain; charset=utf-8");
    exchange.respond(200, value.bytes());
  });
}

/** PUT /kv/<key>: the body becomes the value. */
export function writeKey(exchange: Exchange): void {
  exchange.read().then(exchange, (exchange, content) => {
    if (content.failed) return refuseFailed(exchange, content);
    cache.put(keyOf(exchange), content.bytes()).then(exchange, (exchange, done) => {
      if (done.failed) refuseFailed(exchange, done);
      else exchange.respond(204, "");
    });
  });
}

/** DELETE /kv/<key>: whether or not it was there. */
export function removeKey(exchange: Exchange): void {
  cache.remove(keyOf(exchange)).then(exchange, (exchange, done) => {
    if (done.failed) refuseFailed(exchange, done);
    else exchange.respond(204, "");
  });
}

/** GET /kv?prefix=&limit=&cursor=: a page of keys, and the cursor of the next one. */
export function listKeys(exchange: Exchange): void {
  const limit = numberParameter(exchange, "limit", LIST_COUNT_MAX, 1, LIST_COUNT_MAX);
  if (limit < 0) return refuse(exchange, 400, `limit is a whole number from 1 to ${LIST_COUNT_MAX}`);
  cache
    .list(exchange.parameter("prefix") || "")
    .page(limit)
    .cursor(exchange.parameter("cursor") || "")
    .then(exchange, (exchange, page) => {
      if (page.failed) refuseFailed(exchange, page);
      else answerJson(exchange, 200, listing(page));
    });
}

function listing(page: KvKeys): string {
  const keys: string[] = [];
  for (let i: u32 = 0; i < page.count; i++) keys.push(entry(page, i));
  const cursor = page.cursor();
  return `{"keys":[${keys.join(",")}],"cursor":${cursor.length ? quote(cursor) : "null"}}`;
}

function entry(page: KvKeys, index: u32): string {
  const name = quote(page.key(index));
  const expiration = page.expiration(index);
  return expiration ? `{"name":${name},"expiration":${expiration}}` : `{"name":${name}}`;
}

function keyOf(exchange: Exchange): string {
  return percentDecode(exchange.path.substring("/kv/".length))!;
}
