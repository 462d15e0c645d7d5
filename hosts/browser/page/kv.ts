// KV: a namespace in the browser's own database, where it outlives the page.
//
// Keys are kept as their UTF-8 bytes, which IndexedDB compares as KV promises; texts it would compare by UTF-16 units. Heads
// and values lie apart, so that a list does not load the values.

import type { Clock, KvPage, KvStore } from "wasm-proactor";

const HEADS = "heads";
const VALUES = "values";
const EXPIRATION = "expiration";

/** What is known of a value without loading it. */
interface Head {
  /** Seconds since 1970. */
  expiration?: number;
  metadata?: unknown;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The KV namespace of this name, made if it is not there. */
export async function indexedDbKv(name: string, clock: Pick<Clock, "now"> = Date): Promise<KvStore> {
  const opening = indexedDB.open(`wasm-proactor/${name}`, 1);
  opening.addEventListener("upgradeneeded", () => {
    opening.result.createObjectStore(HEADS).createIndex(EXPIRATION, EXPIRATION);
    opening.result.createObjectStore(VALUES);
  });
  const database = await resultOf(opening);
  const seconds = (): number => Math.floor(clock.now() / 1000);

  async function getWithMetadata(key: string): Promise<{ value: ArrayBuffer | null; metadata: unknown }> {
    const transaction = database.transaction([HEADS, VALUES]);
    const name = encoder.encode(key);
    const [head, value] = await Promise.all([
      resultOf<Head | undefined>(transaction.objectStore(HEADS).get(name)),
      resultOf<ArrayBuffer | undefined>(transaction.objectStore(VALUES).get(name)),
    ]);
    if (!head || isOver(head, seconds())) return { value: null, metadata: null };
    return { value: value!, metadata: head.metadata ?? null };
  }

  return {
    getWithMetadata,
    async get(key) {
      return (await getWithMetadata(key)).value;
    },
    async put(key, value, { expiration, expirationTtl, metadata }) {
      const transaction = database.transaction([HEADS, VALUES], "readwrite");
      const ends = expirationTtl === undefined ? expiration : seconds() + expirationTtl;
      const head: Head = {
        ...(ends !== undefined && { expiration: ends }),
        ...(metadata !== undefined && { metadata }),
      };
      removeExpired(transaction, seconds());
      transaction.objectStore(HEADS).put(head, encoder.encode(key));
      transaction.objectStore(VALUES).put(value, encoder.encode(key));
      await completed(transaction);
    },
    async delete(key) {
      const transaction = database.transaction([HEADS, VALUES], "readwrite");
      remove(transaction, encoder.encode(key));
      await completed(transaction);
    },
    async list({ prefix = "", limit = 1000, cursor = "" }): Promise<KvPage> {
      const range = rangeOf(encoder.encode(prefix), encoder.encode(cursor));
      const isLive = (head: Head): boolean => !isOver(head, seconds());
      const keys = range ? await listed(database, range, isLive, limit + 1) : [];
      if (keys.length <= limit) return { keys, list_complete: true };
      return { keys: keys.slice(0, limit), list_complete: false, cursor: keys[limit - 1]!.name };
    },
  };
}

const isOver = ({ expiration }: Head, now: number): boolean => expiration !== undefined && expiration <= now;

/** The keys behind `cursor` that begin with `prefix`; none if there can be none. */
function rangeOf(prefix: Uint8Array, cursor: Uint8Array): IDBKeyRange | undefined {
  // No byte of UTF-8 is 0xff.
  const end = new Uint8Array([...prefix, 0xff]);
  const isBehind = cursor.length > 0 && indexedDB.cmp(cursor, prefix) >= 0;
  if (isBehind && indexedDB.cmp(cursor, end) >= 0) return undefined;
  return IDBKeyRange.bound(isBehind ? cursor : prefix, end, isBehind, true);
}

function listed(
  database: IDBDatabase,
  range: IDBKeyRange,
  isLive: (head: Head) => boolean,
  count: number,
): Promise<KvPage["keys"]> {
  const keys: KvPage["keys"] = [];
  const walk = database.transaction(HEADS).objectStore(HEADS).openCursor(range);
  return new Promise((resolve, reject) => {
    walk.addEventListener("error", () => reject(walk.error));
    walk.addEventListener("success", () => {
      const at = walk.result;
      if (!at || keys.length === count) return resolve(keys);
      const head = at.value as Head;
      if (isLive(head)) keys.push({ name: decoder.decode(at.key as ArrayBuffer), ...head });
      at.continue();
    });
  });
}

function remove(transaction: IDBTransaction, name: IDBValidKey): void {
  for (const store of [HEADS, VALUES]) transaction.objectStore(store).delete(name);
}

function removeExpired(transaction: IDBTransaction, now: number): void {
  const expired = transaction.objectStore(HEADS).index(EXPIRATION).getAllKeys(IDBKeyRange.upperBound(now));
  expired.addEventListener("success", () => {
    for (const name of expired.result) remove(transaction, name);
  });
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () => reject(transaction.error));
  });
}
