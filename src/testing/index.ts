export { memoryKv } from "../kv-memory.ts";
