// A fiber cell in Node: `node --experimental-wasm-jspi fiber.ts promises|jspi|fiber|asyncify`.

import { readFileSync } from "node:fs";
import { jspi } from "wasm-proactor/fiber";
import { Proactor } from "wasm-proactor";
import { path } from "../../scripts/paths.ts";
import { answer } from "../child.ts";
import { suspendPlainly } from "../jspi.ts";
import { awaitPromises } from "../promises.ts";

const bytesOf = (name: string) => readFileSync(path(`build/bench/${name}.wasm`));
const [, , who] = process.argv;

if (who === "promises") {
  answer((count) => awaitPromises(count, 1));
} else if (who === "jspi") {
  answer(suspendPlainly(new WebAssembly.Module(bytesOf("loop"))));
} else {
  // The pump would let other events go first now and then, by a timer, which is not what is measured here.
  const limits = { runs: 1e9 };
  const app =
    who === "asyncify"
      ? await Proactor.instantiate(bytesOf("fiber.asyncify"), { limits })
      : await Proactor.instantiate(bytesOf("fiber"), { limits, instantiate: jspi() });
  answer(async (count) => {
    const response = await app.fetch(new Request(`http://bench/?count=${count}`));
    if ((await response.text()) !== String(count)) throw new Error("the guest did not answer its count");
  });
}
