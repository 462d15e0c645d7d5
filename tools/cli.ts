#!/usr/bin/env node
// `npx wasm-proactor-asyncify app.wasm [out.wasm]`: puts a guest with fibers through Asyncify.

import { readFileSync, writeFileSync } from "node:fs";
import { asyncify } from "./asyncify.ts";

const HELP = `wasm-proactor-asyncify in.wasm [out.wasm]

Gives a guest with fibers the code to switch between them, for hosts without JSPI. Without a second name the first is
overwritten. Needs the package assemblyscript.`;

const names = process.argv.slice(2);
const [from, to = from] = names;

if (!from || names.length > 2 || from.startsWith("-")) {
  console.log(HELP);
  process.exitCode = from === "--help" || from === "-h" ? 0 : 1;
} else {
  try {
    const before = readFileSync(from);
    const after = asyncify(before);
    writeFileSync(to!, after);
    console.log(`${to}: ${after.byteLength} bytes, before it ${before.byteLength}`);
  } catch (error) {
    console.error(`${from}: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
