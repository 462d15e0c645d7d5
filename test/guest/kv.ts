// runtimes: incremental, minimal, stub
import { Completion, Exchange, Kv, KvKeys, KvValue, kv, origin, serve } from "../../assembly/index";
import { Json } from "./support/json";
import { has, numberOf, textOf } from "./support/query";
export { run } from "../../assembly/index";

const cache = kv("CACHE");
const readOnly = kv("READ_ONLY");
const writeOnly = kv("WRITE_ONLY");
const api = origin("API");

/** The namespace that the query names. */
function namespace(exchange: Exchange): Kv {
  const name = textOf(exchange, "in");
  if (name == "readOnly") return readOnly;
  if (name == "writeOnly") return writeOnly;
  if (name == "origin") return new Kv(api.resource);
  if (name == "exchange") return new Kv(exchange.resource);
  if (name == "nothing") return new Kv(0);
  return cache;
}

/** The key that the query gives, or one of `bytes` bytes. */
function keyOf(exchange: Exchange): string {
  return has(exchange, "bytes") ? "k".repeat(numberOf(exchange, "bytes")) : textOf(exchange, "key");
}

function reportDone(exchange: Exchange, done: Completion): void {
  exchange.respond(200, new Json().completion(done).toString());
}

function reportValue(exchange: Exchange, value: KvValue): void {
  const report = new Json().completion(value).bool("found", value.found);
  exchange.respond(200, report.text("text", value.text()).text("metadata", value.metadata()).toString());
}

function reportKeys(exchange: Exchange, keys: KvKeys): void {
  const report = new Json().completion(keys).number("count", keys.count).text("cursor", keys.cursor());
  for (let i: u32 = 0; i < keys.count; i++) {
    report
      .text(`key${i}`, keys.key(i))
      .number(`expiration${i}`, keys.expiration(i))
      .text(`metadata${i}`, keys.metadata(i));
  }
  exchange.respond(200, report.toString());
}

/** Puts `value` under the query's key, with what else it asks for. */
function put(exchange: Exchange, value: ArrayBuffer): void {
  const put = namespace(exchange).put(keyOf(exchange), value);
  put.timeout(numberOf(exchange, "timeout"));
  if (has(exchange, "expiration")) put.expiration(numberOf(exchange, "expiration"));
  if (has(exchange, "ttl")) put.expirationTtl(numberOf(exchange, "ttl"));
  if (has(exchange, "metadata")) put.metadata(textOf(exchange, "metadata"));
  if (has(exchange, "metadataBytes")) put.metadata('"' + "m".repeat(numberOf(exchange, "metadataBytes") - 2) + '"');
  put.then(exchange, reportDone);
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/get" || path == "/bytes") {
    const get = namespace(exchange).get(keyOf(exchange));
    get.timeout(numberOf(exchange, "timeout"));
    if (has(exchange, "withMetadata")) get.withMetadata();
    if (has(exchange, "cacheTtl")) get.cacheTtl(numberOf(exchange, "cacheTtl"));
    if (path == "/get") get.then(exchange, reportValue);
    else get.then(exchange, (exchange, value) => exchange.respond(value.found ? 200 : 404, value));
  } else if (path == "/put") {
    if (has(exchange, "size")) put(exchange, new ArrayBuffer(numberOf(exchange, "size")));
    else if (has(exchange, "text")) put(exchange, String.UTF8.encode(textOf(exchange, "text")));
    else exchange.read().then(exchange, (exchange, content) => put(exchange, content.bytes()));
  } else if (path == "/put-text") {
    namespace(exchange).putText(textOf(exchange, "key"), textOf(exchange, "text")).then(exchange, reportDone);
  } else if (path == "/remove") {
    namespace(exchange).remove(keyOf(exchange)).timeout(numberOf(exchange, "timeout")).then(exchange, reportDone);
  } else if (path == "/list") {
    const list = namespace(exchange).list(has(exchange, "bytes") ? keyOf(exchange) : textOf(exchange, "prefix"));
    list.timeout(numberOf(exchange, "timeout"));
    if (has(exchange, "limit")) list.page(numberOf(exchange, "limit"));
    if (has(exchange, "cursor")) list.cursor(textOf(exchange, "cursor"));
    list.then(exchange, reportKeys);
  } else if (path == "/changed") {
    // What was submitted stays what it was.
    const value = new Uint8Array(numberOf(exchange, "size"));
    value.fill(1);
    cache.put(textOf(exchange, "key"), value.buffer).then(exchange, reportDone);
    value.fill(2);
  }
});
