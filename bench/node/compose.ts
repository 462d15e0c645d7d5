// A compose cell in Node: `node compose.ts guest|promises <kind> <batch>`.

import { readFileSync } from "node:fs";
import { Proactor } from "wasm-proactor";
import { path } from "../../scripts/paths.ts";
import { answer } from "../child.ts";
import { composePromises } from "../composites.ts";
import type { Kind } from "../composites.ts";

const [, , who, kind, batchText] = process.argv;
const batch = Number(batchText);

if (who === "promises") {
  answer((count) => composePromises(kind as Kind, count, batch));
} else {
  // The pump would let other events go first now and then, by a timer, which is not what is measured here.
  const app = await Proactor.instantiate(readFileSync(path("build/bench/compose.wasm")), { limits: { runs: 1e9 } });
  answer(async (count) => {
    const response = await app.fetch(new Request(`http://bench/${kind}?count=${count}&batch=${batch}`));
    if ((await response.text()) !== String(count)) throw new Error("the guest did not answer its count");
  });
}
