// Engine: plays seeds in whatever engine runs this file, and prints what that calls itself, then the hash of each seed.
//
// Started by engines.ts, as a bundle: not every engine takes types.

import { readFileSync } from "node:fs";
import { runSeed } from "./seed.ts";

const [mode, from, count, ...files] = process.argv.slice(2);
const interpreters = files.map((file) => new WebAssembly.Module(readFileSync(file)));
const { bun, node } = process.versions;

console.log(bun ? `bun ${bun}` : `node ${node}`);
for (let seed = Number(from); seed < Number(from) + Number(count); seed++) {
  const { hash } = await runSeed(interpreters, seed, mode === "trace" ? { onTrace: console.log } : {});
  console.log(`${seed} ${hash}`);
}
