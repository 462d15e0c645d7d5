// Node: stores for KV, in memory and in a file.

import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "./deadlines.ts";
import { checkClock, checkValue } from "./kv-memory.ts";
import type { KvPage, KvStore } from "./resource.ts";

export { memoryKv } from "./kv-memory.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

interface Row {
  key: Uint8Array;
  value: Uint8Array<ArrayBuffer>;
  expiration: number | null;
  metadata: string | null;
}

/**
 * A KV namespace in the SQLite file `path`, which is made if it is not there. Needs Node 22.13 or newer. Several
 * processes may use one file.
 */
export async function fileKv(path: string, clock: Pick<Clock, "now"> = Date): Promise<KvStore> {
  checkClock("fileKv", clock);
  const database = await openDatabase(path);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA busy_timeout = 5000");
  database.exec(
    "CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY, value BLOB NOT NULL, expiration INTEGER, metadata TEXT) WITHOUT ROWID",
  );
  // What has ended is found without a look at every row, however large their values are.
  database.exec("CREATE INDEX IF NOT EXISTS kv_expiration ON kv (expiration) WHERE expiration IS NOT NULL");
  const live = "(expiration IS NULL OR expiration > ?)";
  const select = database.prepare(`SELECT * FROM kv WHERE key = ? AND ${live}`);
  const upsert = database.prepare("INSERT OR REPLACE INTO kv (key, value, expiration, metadata) VALUES (?, ?, ?, ?)");
  const remove = database.prepare("DELETE FROM kv WHERE key = ?");
  const expire = database.prepare("DELETE FROM kv WHERE expiration <= ?");
  // Keys are bytes, because SQLite's functions end a text at U+0000. Their order is the one that KV promises.
  const list = database.prepare(
    `SELECT key, expiration, metadata FROM kv WHERE substr(key, 1, length(?1)) = ?1 AND key > ?2 AND (expiration IS NULL OR expiration > ?3) ORDER BY key LIMIT ?4`,
  );
  const seconds = (): number => Math.floor(clock.now() / 1000);
  const find = (key: string): Row | undefined => select.get(encoder.encode(key), seconds()) as Row | undefined;

  return {
    async get(key) {
      const row = find(key);
      return row ? bufferOf(row.value) : null;
    },
    async getWithMetadata(key) {
      const row = find(key);
      return { value: row ? bufferOf(row.value) : null, metadata: row?.metadata ? JSON.parse(row.metadata) : null };
    },
    async put(key, value, { expiration, expirationTtl, metadata } = {}) {
      checkValue(key, value);
      const ends = expirationTtl === undefined ? expiration : seconds() + expirationTtl;
      expire.run(seconds());
      upsert.run(
        encoder.encode(key),
        new Uint8Array(value),
        ends ?? null,
        metadata === undefined ? null : JSON.stringify(metadata),
      );
    },
    async delete(key) {
      remove.run(encoder.encode(key));
    },
    async list({ prefix = "", limit = 1000, cursor = "" } = {}) {
      const rows = list.all(encoder.encode(prefix), encoder.encode(cursor), seconds(), limit + 1) as unknown as Row[];
      const keys = rows.slice(0, limit).map(listed);
      if (rows.length <= limit) return { keys, list_complete: true };
      return { keys, list_complete: false, cursor: keys.at(-1)!.name };
    },
  };
}

function listed({ key, expiration, metadata }: Row): KvPage["keys"][number] {
  return {
    name: decoder.decode(key),
    ...(expiration !== null && { expiration }),
    ...(metadata !== null && { metadata: JSON.parse(metadata) as unknown }),
  };
}

async function openDatabase(path: string): Promise<DatabaseSync> {
  try {
    const sqlite = await import("node:sqlite");
    return new sqlite.DatabaseSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_UNKNOWN_BUILTIN_MODULE") throw error;
    throw new Error("fileKv needs Node 22.13 or newer, which has node:sqlite; memoryKv works everywhere", {
      cause: error,
    });
  }
}

/** A buffer of exactly these bytes: SQLite's view may lie in a larger one. */
function bufferOf(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}
