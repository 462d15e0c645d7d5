// KV: reads, writes, removes and lists the keys of a granted namespace.

import {
  KV_CACHE_TTL_SECONDS_MIN,
  KV_KEY_BYTES_MAX,
  KV_LIST_COUNT_MAX,
  KV_METADATA,
  KV_METADATA_BYTES_MAX,
  KV_SECONDS_MAX,
  KV_TTL_SECONDS_MIN,
  KV_VALUE_BYTES_MAX,
  Status,
} from "../../assembly/abi.ts";
import { DONE } from "../completion.ts";
import type { Outcome } from "../completion.ts";
import type { Context } from "../context.ts";
import { Failure, messageOf } from "../failure.ts";
import { concatenate, encodeBytes } from "../memory.ts";
import type { Operation, Processor, Work } from "../operation.ts";
import { encodePairs } from "../pairs.ts";
import type { Pair } from "../pairs.ts";
import type { KvPage, KvRight, KvStore } from "../resource.ts";
import type { Submission } from "../submission.ts";

export const KvGet: Processor = {
  name: "kv.get",
  flags: KV_METADATA,

  decode(submission, context) {
    const store = storeOf(submission, context, "read");
    const key = keyOf(submission);
    const cacheTtl = secondsOf("cacheTtl", submission.argument0, KV_CACHE_TTL_SECONDS_MIN);
    const options = { type: "arrayBuffer" as const, cacheTtl };
    if (!(submission.flags & KV_METADATA)) return use(() => store.get(key, options), found);
    return use(() => store.getWithMetadata(key, options), foundWithMetadata);
  },
};

// What makes an outcome is no closure: of a million reads that wait, each would hold its key and its options.

function found(value: ArrayBuffer | null, { context }: Operation, metadata = ""): Outcome {
  const { bodyBytes } = context.host.limits;
  if (value === null) throw new Failure(Status.NotFound, "kv: there is no such key");
  if (value.byteLength > bodyBytes) throw new Failure(Status.TooBig, `kv: the value has more than ${bodyBytes} bytes`);
  const bytes = new Uint8Array(value);
  if (bytes.length !== value.byteLength) throw new Failure(Status.Failed, "kv: the value is no ArrayBuffer");
  if (metadata === "") return { payload: bytes };
  const head = encodeBytes(metadata);
  return { payload: concatenate([head, bytes]), auxiliary: head.length };
}

/** Metadata, then value. */
function foundWithMetadata(
  { value, metadata }: { value: ArrayBuffer | null; metadata: unknown },
  operation: Operation,
): Outcome {
  return found(value, operation, metadataText(metadata));
}

export const KvPut: Processor = {
  name: "kv.put",

  decode(submission, context) {
    const store = storeOf(submission, context, "write");
    const key = keyOf(submission);
    checkBytes("a value", submission.dataBytes, KV_VALUE_BYTES_MAX);
    const soonest = Math.floor(context.host.clock.now() / 1000) + KV_TTL_SECONDS_MIN;
    const options = {
      expiration: secondsOf("expiration", submission.argument0, soonest),
      expirationTtl: secondsOf("expirationTtl", submission.argument1, KV_TTL_SECONDS_MIN),
      metadata: metadataOf(submission),
    };
    const value = submission.data().buffer;
    return use(() => store.put(key, value, options), nothing);
  },
};

export const KvDelete: Processor = {
  name: "kv.delete",

  decode(submission, context) {
    const store = storeOf(submission, context, "write");
    const key = keyOf(submission);
    return use(() => store.delete(key), nothing);
  },
};

export const KvList: Processor = {
  name: "kv.list",

  decode(submission, context) {
    const store = storeOf(submission, context, "list");
    const limit = submission.argument0;
    if (limit > KV_LIST_COUNT_MAX)
      throw new Failure(Status.Invalid, `kv: a list has at most ${KV_LIST_COUNT_MAX} keys`);
    checkBytes("a prefix", submission.nameBytes, KV_KEY_BYTES_MAX);
    const options = {
      prefix: submission.name() || undefined,
      limit: limit || undefined,
      cursor: submission.dataText() || undefined,
    };
    return use(() => store.list(options), listed);
  },
};

function listed({ keys, list_complete, cursor }: KvPage): Outcome {
  const tail = encodeBytes(list_complete ? "" : (cursor ?? ""));
  return { payload: encodePairs(keys.map(entry), tail), auxiliary: keys.length };
}

/** A key, with its expiration in decimal digits (0: none), a space, and its metadata. */
function entry({ name, expiration, metadata }: { name: string; expiration?: number; metadata?: unknown }): Pair {
  return [name, `${expiration ?? 0} ${metadataText(metadata)}`];
}

/** The granted namespace. Throws BadResource or NotPermitted. */
function storeOf(submission: Submission, context: Context, right: KvRight): KvStore {
  const { store, rights } = context.resourceOf(submission.resource, "kv");
  if (!rights.has(right)) throw new Failure(Status.NotPermitted, `kv: the namespace was granted without "${right}"`);
  return store;
}

function keyOf(submission: Submission): string {
  checkBytes("a key", submission.nameBytes, KV_KEY_BYTES_MAX);
  const key = submission.name();
  if (key === "" || key === "." || key === "..") throw new Failure(Status.Invalid, `kv: "${key}" is no key`);
  return key;
}

function checkBytes(what: string, bytes: number, bytesMax: number): void {
  if (bytes > bytesMax) throw new Failure(Status.TooBig, `kv: ${what} has at most ${bytesMax} bytes`);
}

/** Not every store refuses what the contract does, or says so in a way that can be understood. */
function secondsOf(what: string, seconds: number, least: number): number | undefined {
  if (seconds === 0) return undefined;
  if (seconds < least || seconds > KV_SECONDS_MAX)
    throw new Failure(Status.Invalid, `kv: ${what} is ${least} to ${KV_SECONDS_MAX} seconds`);
  return seconds;
}

function metadataOf(submission: Submission): unknown {
  if (submission.metaBytes === 0) return undefined;
  checkBytes("metadata", submission.metaBytes, KV_METADATA_BYTES_MAX);
  try {
    return JSON.parse(submission.metaText());
  } catch (error) {
    throw new Failure(Status.Invalid, `kv: metadata is no JSON: ${messageOf(error)}`);
  }
}

function metadataText(metadata: unknown): string {
  return metadata === null || metadata === undefined ? "" : JSON.stringify(metadata);
}

type OutcomeOf<T> = (result: T, operation: Operation) => Outcome;

/** One call of the store, on one of the context's connections. */
function use<T>(call: () => Promise<T>, outcomeOf: OutcomeOf<T>): Work {
  return (operation) => {
    const turn = operation.context.connections.take(operation);
    if (!turn) return perform(operation, call, outcomeOf);
    turn.then(
      () => perform(operation, call, outcomeOf),
      (error) => operation.fail(error),
    );
    return undefined;
  };
}

/** Settles the operation itself: of a million that wait, each would hold an async function's state otherwise. */
function perform<T>(operation: Operation, call: () => Promise<T>, outcomeOf: OutcomeOf<T>): undefined {
  const refuse = (error: unknown): void => conclude(operation, refused, error);
  // An owner's store may throw at once, and what it gives may only look like a promise.
  try {
    Promise.resolve(call()).then((result) => conclude(operation, outcomeOf, result), refuse);
  } catch (error) {
    refuse(error);
  }
}

function conclude<T>(operation: Operation, outcomeOf: OutcomeOf<T>, result: T): void {
  operation.context.connections.handOn();
  try {
    operation.succeed(outcomeOf(result, operation));
  } catch (error) {
    operation.fail(error);
  }
}

/** The store says what went wrong in words only. */
function refused(error: unknown): never {
  const message = messageOf(error);
  throw new Failure(storeStatus(message), message);
}

const nothing = (): Outcome => DONE;

function storeStatus(message: string): Status {
  if (/\b429\b|too many requests/i.test(message)) return Status.RateLimited;
  if (/\b413\b|exceeds.*limit|too large/i.test(message)) return Status.TooBig;
  if (/\b400\b|invalid/i.test(message)) return Status.Invalid;
  if (/quota|limit exceeded/i.test(message)) return Status.Quota;
  return Status.Failed;
}
