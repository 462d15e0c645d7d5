// Stale KV: a store that is eventually consistent, over one that is not.
//
// A read may see a key as it was up to a minute ago. The past is kept here, by key, from the first write on; the store
// below knows the present.

import type { Clock } from "../deadlines.ts";
import type { KvStore } from "../resource.ts";

const STALE_MS_MAX = 60_000;

interface Version {
  since: number;
  value: ArrayBuffer | null;
  metadata: unknown;
}

/** `lag` — how many milliseconds this read of the key is behind; 0 if it is not. */
export function staleKv(store: KvStore, clock: Pick<Clock, "now">, lag: (key: string) => number): KvStore {
  const histories = new Map<string, Version[]>();

  /** Notes what a key is from now on, and first what it was. */
  async function note(
    key: string,
    value: ArrayBuffer | null,
    metadata: unknown,
    write: () => Promise<void>,
  ): Promise<void> {
    const history = histories.get(key) ?? [];
    if (!histories.has(key)) {
      histories.set(key, history);
      history.push({ since: -Infinity, ...(await store.getWithMetadata(key, { type: "arrayBuffer" })) });
    }
    await write();
    history.push({ since: clock.now(), value, metadata });
  }

  /** What a read sees instead of the present; nothing if that is what it sees. */
  function past(key: string): Version | undefined {
    const history = histories.get(key);
    const behind = history ? Math.min(lag(key), STALE_MS_MAX) : 0;
    return behind > 0 ? history!.findLast(({ since }) => since <= clock.now() - behind) : undefined;
  }

  return {
    async get(key, options) {
      const version = past(key);
      return version ? (version.value?.slice(0) ?? null) : store.get(key, options);
    },
    async getWithMetadata(key, options) {
      const version = past(key);
      if (!version) return store.getWithMetadata(key, options);
      return { value: version.value?.slice(0) ?? null, metadata: version.metadata ?? null };
    },
    put: (key, value, options) => note(key, value.slice(0), options.metadata, () => store.put(key, value, options)),
    delete: (key) => note(key, null, null, () => store.delete(key)),
    /** Leaves out what was not there yet. What was there and is not any more it does not bring back. */
    async list(options) {
      const page = await store.list(options);
      return { ...page, keys: page.keys.filter(({ name }) => past(name)?.value !== null) };
    },
  };
}
