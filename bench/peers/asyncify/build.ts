// Puts the whole module through Asyncify, as `wasm-opt --asyncify -O` does: any import may wait.

import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";
import { path } from "../../../scripts/paths.ts";

export function build(): void {
  const module = binaryen.readBinary(readFileSync(path("build/bench/peers/asyncify.wasm")));
  module.setFeatures(module.getFeatures() | binaryen.Features.MutableGlobals | binaryen.Features.BulkMemory);
  binaryen.setOptimizeLevel(3);
  module.runPasses(["asyncify"]);
  module.optimize();
  writeFileSync(path("build/bench/peers/asyncify.asyncified.wasm"), module.emitBinary());
  module.dispose();
}
