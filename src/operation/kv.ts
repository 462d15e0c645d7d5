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
import { Failure, messageOf } from "../failure.ts";
import { encodeBytes } from "../memory.ts";
import type { Operation, Outcome, Processor } from "../operation.ts";
import { encodePairs } from "../pairs.ts";
import type { Pair } from "../pairs.ts";
import { storeOf } from "../resource.ts";
import type { KvStore } from "../resource.ts";
import type { Submission } from "../submission.ts";

interface Get {
  store: KvStore;
  key: string;
  cacheTtl: number;
  withMetadata: boolean;
}

export const KvGet: Processor<Get> = {
  flags: KV_METADATA,

  decode(submission, context) {
    const store = storeOf(context.resource(submission.resource), "read");
    const cacheTtl = secondsOf("cacheTtl", submission.argument0, KV_CACHE_TTL_SECONDS_MIN);
    return { store, key: keyOf(submission), cacheTtl, withMetadata: (submission.flags & KV_METADATA) !== 0 };
  },

  async perform({ store, key, cacheTtl, withMetadata }, operation) {
    const options = { type: "arrayBuffer" as const, ...(cacheTtl !== 0 && { cacheTtl }) };
    const { bodyBytes } = operation.context.host.limits;
    if (!withMetadata) return found(await use(operation, () => store.get(key, options)), "", bodyBytes);
    const { value, metadata } = await use(operation, () => store.getWithMetadata(key, options));
    return found(value, metadataText(metadata), bodyBytes);
  },
};

/** Metadata, then value. */
function found(value: ArrayBuffer | null, metadata: string, bytesMax: number): Outcome {
  if (value === null) throw new Failure(Status.NotFound, "kv: there is no such key");
  if (value.byteLength > bytesMax) throw new Failure(Status.TooBig, `kv: the value has more than ${bytesMax} bytes`);
  if (metadata === "") return { payload: new Uint8Array(value) };
  const head = encodeBytes(metadata);
  const payload = new Uint8Array(head.length + value.byteLength);
  payload.set(head);
  payload.set(new Uint8Array(value), head.length);
  return { payload, auxiliary: head.length };
}

interface Put {
  store: KvStore;
  key: string;
  value: ArrayBuffer;
  options: { expiration?: number; expirationTtl?: number; metadata?: unknown };
}

export const KvPut: Processor<Put> = {
  decode(submission, context) {
    const store = storeOf(context.resource(submission.resource), "write");
    const key = keyOf(submission);
    if (submission.dataBytes > KV_VALUE_BYTES_MAX)
      throw new Failure(Status.TooBig, `kv: a value has at most ${KV_VALUE_BYTES_MAX} bytes`);
    const soonest = Math.floor(context.host.clock.now() / 1000) + KV_TTL_SECONDS_MIN;
    const expiration = secondsOf("expiration", submission.argument0, soonest);
    const expirationTtl = secondsOf("expirationTtl", submission.argument1, KV_TTL_SECONDS_MIN);
    const options = {
      ...(expiration !== 0 && { expiration }),
      ...(expirationTtl !== 0 && { expirationTtl }),
      ...(submission.metaBytes > 0 && { metadata: metadataOf(submission) }),
    };
    return { store, key, value: submission.data().buffer, options };
  },

  async perform({ store, key, value, options }, operation) {
    await use(operation, () => store.put(key, value, options));
    return {};
  },
};

interface Key {
  store: KvStore;
  key: string;
}

export const KvDelete: Processor<Key> = {
  decode: (submission, context) => ({
    store: storeOf(context.resource(submission.resource), "write"),
    key: keyOf(submission),
  }),

  async perform({ store, key }, operation) {
    await use(operation, () => store.delete(key));
    return {};
  },
};

interface List {
  store: KvStore;
  options: { prefix?: string; limit?: number; cursor?: string };
}

export const KvList: Processor<List> = {
  decode(submission, context) {
    const store = storeOf(context.resource(submission.resource), "list");
    const limit = submission.argument0;
    if (limit > KV_LIST_COUNT_MAX)
      throw new Failure(Status.Invalid, `kv: a list has at most ${KV_LIST_COUNT_MAX} keys`);
    if (submission.nameBytes > KV_KEY_BYTES_MAX)
      throw new Failure(Status.TooBig, `kv: a prefix has at most ${KV_KEY_BYTES_MAX} bytes`);
    const prefix = submission.name();
    const cursor = submission.dataText();
    return { store, options: { ...(prefix && { prefix }), ...(limit && { limit }), ...(cursor && { cursor }) } };
  },

  async perform({ store, options }, operation) {
    const page = await use(operation, () => store.list(options));
    const cursor = page.list_complete ? "" : (page.cursor ?? "");
    return { payload: encodePairs(page.keys.map(entry), encodeBytes(cursor)), auxiliary: page.keys.length };
  },
};

/** A key, with its expiration in decimal digits (0: none), a space, and its metadata. */
function entry({ name, expiration, metadata }: { name: string; expiration?: number; metadata?: unknown }): Pair {
  return [name, `${expiration ?? 0} ${metadataText(metadata)}`];
}

function keyOf(submission: Submission): string {
  if (submission.nameBytes > KV_KEY_BYTES_MAX)
    throw new Failure(Status.TooBig, `kv: a key has at most ${KV_KEY_BYTES_MAX} bytes`);
  const key = submission.name();
  if (key === "" || key === "." || key === "..") throw new Failure(Status.Invalid, `kv: "${key}" is no key`);
  return key;
}

/** Seconds, 0 for none. Not every store refuses what the contract does, or says so in a way that can be understood. */
function secondsOf(what: string, seconds: number, least: number): number {
  if (seconds !== 0 && (seconds < least || seconds > KV_SECONDS_MAX))
    throw new Failure(Status.Invalid, `kv: ${what} is ${least} to ${KV_SECONDS_MAX} seconds`);
  return seconds;
}

function metadataOf(submission: Submission): unknown {
  if (submission.metaBytes > KV_METADATA_BYTES_MAX)
    throw new Failure(Status.TooBig, `kv: metadata has at most ${KV_METADATA_BYTES_MAX} bytes`);
  try {
    return JSON.parse(submission.metaText());
  } catch (error) {
    throw new Failure(Status.Invalid, `kv: metadata is no JSON: ${messageOf(error)}`);
  }
}

function metadataText(metadata: unknown): string {
  return metadata === null || metadata === undefined ? "" : JSON.stringify(metadata);
}

/** One call of the store, among the context's connections. The store says what went wrong in words only. */
async function use<T>(operation: Operation, call: () => Promise<T>): Promise<T> {
  try {
    return await operation.context.connections.use(operation, call);
  } catch (error) {
    const message = messageOf(error);
    throw new Failure(storeStatus(message), message);
  }
}

function storeStatus(message: string): Status {
  if (/\b429\b|too many requests/i.test(message)) return Status.RateLimited;
  if (/\b413\b|exceeds.*limit|too large/i.test(message)) return Status.TooBig;
  if (/\b400\b|invalid/i.test(message)) return Status.Invalid;
  if (/quota|limit exceeded/i.test(message)) return Status.Quota;
  return Status.Failed;
}
