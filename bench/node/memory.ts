// Holds so many reads of a peer in flight, and prints what each of them takes then: `node memory.ts promises 1000000`.

import { path } from "../../scripts/paths.ts";
import { importModules } from "../node.ts";
import type { Peer } from "../peer.ts";
import { heldReads } from "../store.ts";

const WARM_UP = 1000;

/** Each instance's memory: only its exports tell of it. */
const memories = new Set<WebAssembly.Memory>();
const { Instance } = WebAssembly;
WebAssembly.Instance = class extends Instance {
  constructor(...args: ConstructorParameters<typeof Instance>) {
    super(...args);
    if (this.exports["memory"] instanceof WebAssembly.Memory) memories.add(this.exports["memory"]);
  }
};

interface Usage {
  guest: number;
  host: number;
  process: number;
}

/** Bytes in use, of modules' memories and of all else. */
function look(): Usage {
  gc!();
  const { heapUsed, external, rss } = process.memoryUsage();
  let guest = 0;
  for (const { buffer } of memories) guest += buffer.byteLength;
  // The engine counts modules' memories as its own external ones.
  return { guest, host: heapUsed + external - guest, process: rss };
}

/** What nobody can do without: the store's own promises, kept. The last is answered after all others. */
const store: Peer = {
  async "million-in-flight"(_count, size) {
    heldReads.expect(size);
    await Array.from({ length: size }, () => heldReads.get()).at(-1);
  },
};

/** The same with a reaction to each, which knows whose it is. */
const floor: Peer = {
  async "million-in-flight"(_count, size) {
    heldReads.expect(size);
    let sum = 0;
    const reads = Array.from({ length: size }, (_, slot) => heldReads.get().then(() => void (sum += slot)));
    await reads.at(-1);
    if (sum !== (size * (size - 1)) / 2) throw new Error(`the slots that were heard of add up to ${sum}`);
  },
};

async function peerOf(name: string): Promise<Peer> {
  if (name === "store") return store;
  if (name === "floor") return floor;
  return ((await import(path("bench/peers", name, "index.ts"))) as { peer: Peer }).peer;
}

const [, , name, sizeText] = process.argv;
const size = Number(sizeText);
importModules();
const run = (await peerOf(name!))["million-in-flight"]!;
await run(WARM_UP, WARM_UP);
const before = look();
let held: Usage | undefined;
heldReads.onHeld = () => (held = look());
await run(size, size);
const each = (what: keyof Usage): number => (held![what] - before[what]) / size;
console.log(JSON.stringify({ guest: each("guest"), host: each("host"), process: each("process") }));
process.exit();
