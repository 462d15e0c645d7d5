// Node: stores for KV.
export { memoryKv } from "./kv-memory.ts";
