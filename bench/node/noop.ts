// A noop cell in Node: `node noop.ts guest|promises <batch>`.

import { readFileSync } from "node:fs";
import { Proactor } from "wasm-proactor";
import { path } from "../../scripts/paths.ts";
import { answer } from "../child.ts";
import { awaitPromises } from "../promises.ts";

const [, , kind, batchText] = process.argv;
const batch = Number(batchText);

if (kind === "promises") {
  answer((count) => awaitPromises(count, batch));
} else {
  // The pump would let other events go first now and then, by a timer, which is not what is measured here.
  const app = await Proactor.instantiate(readFileSync(path("build/bench/noop.wasm")), { limits: { runs: 1e9 } });
  answer(async (count) => {
    const response = await app.fetch(new Request(`http://bench/?count=${count}&batch=${batch}`));
    if ((await response.text()) !== String(count)) throw new Error("the guest did not answer its count");
  });
}
