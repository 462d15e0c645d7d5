// Makes instances of a guest in Node, each with a proactor of its own.

import { readFileSync } from "node:fs";
import { Proactor, kv } from "wasm-proactor";
import { memoryKv } from "wasm-proactor/node";
import { path } from "../../scripts/paths.ts";
import { answer } from "../child.ts";

const module = await WebAssembly.compile(readFileSync(path("build/bench/http.wasm")));
const resources = { CACHE: kv(memoryKv()) };

answer((count) => {
  for (let made = 0; made < count; made++) void new Proactor(module, { resources });
});
