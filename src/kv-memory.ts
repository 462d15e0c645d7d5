// KV in memory: the store of the simulated host, of Node without a file, and of every host that has no other.

import type { Clock } from "./deadlines.ts";
import type { KvPage, KvStore } from "./resource.ts";

interface Entry {
  value: ArrayBuffer;
  /** Seconds since 1970. */
  expiration?: number;
  metadata?: unknown;
}

/**
 * A KV namespace that ends with the process. Lists keys in the order of their UTF-8 bytes. Keys expire by the calendar, which
 * `clock` tells.
 */
export function memoryKv(clock: Pick<Clock, "now"> = Date): KvStore {
  checkClock("memoryKv", clock);
  const entries = new Map<string, Entry>();

  function live(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (entry?.expiration === undefined || entry.expiration * 1000 > clock.now()) return entry;
    entries.delete(key);
    return undefined;
  }

  return {
    async get(key) {
      return live(key)?.value.slice(0) ?? null;
    },
    async getWithMetadata(key) {
      const entry = live(key);
      return { value: entry?.value.slice(0) ?? null, metadata: entry?.metadata ?? null };
    },
    async put(key, value, { expiration, expirationTtl, metadata } = {}) {
      checkValue(key, value);
      const ends = expirationTtl === undefined ? expiration : Math.floor(clock.now() / 1000) + expirationTtl;
      entries.set(key, { value: value.slice(0), ...(ends !== undefined && { expiration: ends }), metadata });
    },
    async delete(key) {
      entries.delete(key);
    },
    async list({ prefix = "", limit = 1000, cursor = "" } = {}): Promise<KvPage> {
      const names = [...entries.keys()]
        .filter((key) => key.startsWith(prefix) && byUtf8(key, cursor) > 0 && live(key))
        .toSorted(byUtf8);
      const keys = names.slice(0, limit).map((name) => listed(name, live(name)!));
      const isComplete = names.length <= limit;
      return isComplete ? { keys, list_complete: true } : { keys, list_complete: false, cursor: keys.at(-1)!.name };
    },
  };
}

/** What is no clock would end no key, or fail later. Throws a TypeError. */
export function checkClock(what: string, clock: Pick<Clock, "now">): void {
  if (typeof clock?.now === "function") return;
  throw new TypeError(`${what}: the clock has no now(); of a Simulation, give world.clock`);
}

/** What a namespace of Workers would encode by itself, a store here does not. Throws a TypeError. */
export function checkValue(key: string, value: ArrayBuffer): void {
  if (value?.[Symbol.toStringTag] === "ArrayBuffer") return;
  throw new TypeError(
    `put: the value of "${key}" is no ArrayBuffer; of a text, give new TextEncoder().encode(text).buffer`,
  );
}

function listed(name: string, { expiration, metadata }: Entry): KvPage["keys"][number] {
  return { name, ...(expiration !== undefined && { expiration }), ...(metadata !== undefined && { metadata }) };
}

/** Compares as the texts' UTF-8 bytes compare. */
function byUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Surrogates stand for the largest code points, but are not the largest units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
