// A guest for malformed completions: starts what it is told to start, and counts which handler was called how often.
//
// What it exports besides `run` is called by the fuzzer, between two turns, in the place of handlers that would do so.

import {
  CancelResult,
  Completion,
  CompletionHandler,
  Exchange,
  cancel,
  inFlightCount,
  kv,
  noop,
  origin,
  read,
  staleCount,
  timer,
} from "../../assembly/index";
import { KvKeys, KvValue, Content, Incoming, Response, Token, accept } from "../../assembly/index";
export { run } from "../../assembly/index";

const PROBES: i32 = 4096;

const handled = new StaticArray<u32>(PROBES);
const statuses = new StaticArray<i32>(PROBES);
/** Keeps what is read from being optimized away. */
let sum: u32 = 0;
let reading = false;

const cache = kv("STORE");
const api = origin("API");

enum Kind {
  Noop,
  Timer,
  Fetch,
  KvGet,
  KvList,
  Read,
  Accept,
  /** Its handler starts a noop, of which nobody waits for the result. */
  Chain,
  /** Its handler aborts. */
  Throw,
}

class Probe extends CompletionHandler {
  constructor(
    private kind: Kind,
    private id: i32,
  ) {
    super();
  }

  onComplete(completion: Completion): void {
    handled[this.id]++;
    statuses[this.id] = <i32>completion.status;
    if (reading) sum += this.readAll(completion);
    if (this.kind == Kind.Chain) noop().submit();
    assert(this.kind != Kind.Throw, "on purpose");
  }

  private readAll(completion: Completion): u32 {
    if (this.kind == Kind.Fetch) return readResponse(changetype<Response>(completion));
    if (this.kind == Kind.KvGet) return readValue(changetype<KvValue>(completion));
    if (this.kind == Kind.KvList) return readKeys(changetype<KvKeys>(completion));
    if (this.kind == Kind.Read) return readContent(changetype<Content>(completion));
    if (this.kind == Kind.Accept) return readRequest(changetype<Incoming>(completion));
    return completion.message().length;
  }
}

function readResponse(response: Response): u32 {
  const header = response.header("x-one");
  const length: u32 = header == null ? 0 : header.length;
  // To ask for a body that stayed on the host is the guest's mistake, and an abort.
  const bytes = response.resource ? 0 : response.text().length + response.bytes().byteLength;
  return response.statusCode + length + bytes + response.message().length;
}

function readValue(value: KvValue): u32 {
  return value.text().length + value.bytes().byteLength + value.metadata().length + value.message().length;
}

function readKeys(keys: KvKeys): u32 {
  let length: u32 = keys.cursor().length + keys.message().length;
  for (let index: u32 = 0; index < min(keys.count, 8); index++)
    length += keys.key(index).length + keys.expiration(index) + keys.metadata(index).length;
  return length;
}

function readContent(content: Content): u32 {
  return content.text().length + content.bytes().byteLength + content.message().length;
}

function readRequest(incoming: Incoming): u32 {
  if (incoming.failed) return incoming.message().length;
  const exchange = new Exchange(incoming);
  const parameter = exchange.parameter("a");
  const header = exchange.header("x-one");
  let length: u32 = exchange.method.length + exchange.url.length + exchange.path.length + exchange.query.length;
  if (parameter != null) length += parameter.length;
  if (header != null) length += header.length;
  return length;
}

export function start(kind: Kind, id: i32): void {
  handled[id] = 0;
  statuses[id] = 1;
  const probe = new Probe(kind, id);
  if (kind == Kind.Timer) timer(10).submit(probe);
  else if (kind == Kind.Fetch) api.fetch("/").submit(probe);
  else if (kind == Kind.KvGet) cache.get("key").submit(probe);
  else if (kind == Kind.KvList) cache.list().submit(probe);
  else if (kind == Kind.Read) read(1).submit(probe);
  else if (kind == Kind.Accept) accept(1).submit(probe);
  else noop().submit(probe);
}

export function cancelToken(slot: u32, generation: u32): CancelResult {
  return cancel(((<Token>generation) << 32) | slot);
}

/** Whether handlers look at what has come. */
export function readPayloads(on: boolean): void {
  reading = on;
}

export function handledOf(id: i32): u32 {
  return handled[id];
}

export function statusOf(id: i32): i32 {
  return statuses[id];
}

export function stale(): u32 {
  return staleCount();
}

export function inFlight(): u32 {
  return inFlightCount();
}
