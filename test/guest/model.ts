// runtimes: incremental, minimal, stub
// A guest that does what a test tells it, step by step, and says what it sees. For test/model.
//
// It asks by `random_get`, which the test answers: the import that every choice from outside may come by.

import { Runtime } from "shared/runtime";
import {
  Cancel,
  Completion,
  CompletionHandler,
  EventKind,
  Operation,
  Respond,
  Token,
  accept,
  cancel,
  close,
  inFlightCount,
  kv,
  noop,
  origin,
  read,
  run,
  staleCount,
  timer,
} from "../../assembly/index";
import { STEP_WORDS, Said, Step } from "./support/step";
import { random_get } from "./support/wasi_snapshot_preview1";
export { run } from "../../assembly/index";

/** What handles the incoming requests has this number; operations have their own. */
const ACCEPT: u32 = 1;

const cache = kv("CACHE");
const api = origin("API");

const message = memory.data(32, 4);

function word(index: u32): u32 {
  return load<u32>(message + ((<usize>index) << 2));
}

function put(index: u32, value: u32): void {
  store<u32>(message + ((<usize>index) << 2), value);
}

class Handler extends CompletionHandler {
  constructor(private number: u32) {
    super();
  }

  onComplete(completion: Completion): void {
    put(0, Said.Entered);
    put(1, this.number);
    put(2, <u32>changetype<usize>(completion));
    put(3, inFlightCount());
    put(4, staleCount());
    while (ask()) {
      const result = perform(word(0), word(1));
      put(0, Said.Did);
      put(1, <u32>result);
      put(2, <u32>(result >>> 32));
    }
  }
}

/** Hands the message over and takes the next step in its place. False if there is none. */
function ask(): bool {
  random_get(message, STEP_WORDS * 4);
  return word(0) != Step.Return;
}

function perform(step: Step, number: u32): u64 {
  switch (step) {
    case Step.Noop:
      return start(noop());
    case Step.Timer:
      return start(timer(word(4)));
    case Step.Get:
      return start(cache.get(`${number}`));
    case Step.Put:
      return startPut(number, word(4));
    case Step.Delete:
      return start(cache.remove(`${number}`));
    case Step.List:
      return start(cache.list(`${number}`));
    case Step.Fetch:
      return start(api.fetch(`/${number}`));
    case Step.Page:
      return start(api.fetch(`/${number}`).withBody());
    case Step.Read:
      return start(read(word(4)));
    case Step.Close:
      return start(close(word(4)));
    case Step.Respond: {
      const respond = new Respond(word(4));
      respond.text = `${number}`;
      return start(respond);
    }
    case Step.Stream: {
      const respond = new Respond(word(4));
      respond.status = 201;
      respond.body = word(5);
      return start(respond);
    }
    case Step.End:
      return start(new Cancel(tokenAt(4)));
    case Step.Cancel:
      return cancel(tokenAt(1));
    case Step.Abort:
      throw new Error("as told");
    case Step.Trap:
      return unreachable();
    case Step.Grow:
      return <u64>memory.grow(1);
    case Step.Collect:
      // With the minimal runtime the library itself collects, between two turns.
      if (ASC_RUNTIME == Runtime.Incremental) __collect();
      return 0;
    case Step.Litter:
      return litter();
    case Step.Run:
      return <u64>(<u32>run(1));
    default:
      throw new Error("there is no such step");
  }
}

function litter(): u64 {
  let bytes: u64 = 0;
  for (let i = 0; i < 100; i++) bytes += new ArrayBuffer(i << 4).byteLength;
  return bytes;
}

function tokenAt(index: u32): Token {
  return word(index) | ((<u64>word(index + 1)) << 32);
}

/** Submits the operation as the message says: by the core way or by `then`, in turns, or with no handler at all. */
function start<T>(any: T): Token {
  // Whatever its result is, this guest looks at it as a completion.
  const operation = changetype<Operation<Completion>>(any);
  const number = word(1);
  operation.timeout(word(2));
  if (word(3)) return operation.submit();
  const handler = new Handler(number);
  if (number & 1) return operation.submit(handler);
  return operation.then(handler, (handler, completion) => handler.onComplete(completion));
}

/** Changes its buffer right after, as it may. */
function startPut(number: u32, bytes: u32): Token {
  const value = new ArrayBuffer(bytes);
  memory.fill(changetype<usize>(value), <u8>number, bytes);
  const token = start(cache.put(`${number}`, value));
  memory.fill(changetype<usize>(value), 0, bytes);
  return token;
}

accept(EventKind.Fetch).submit(new Handler(ACCEPT));
