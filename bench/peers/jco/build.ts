// Makes a component of the guest and transpiles it, as `wasm-tools component embed`, `wasm-tools component new` and
// `jco transpile --async-mode jspi --instantiation sync` do.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { transpileBytes } from "@bytecodealliance/jco-transpile";
import { componentEmbed, componentNew } from "@bytecodealliance/jco-transpile/wasm-tools";
import { path } from "../../../scripts/paths.ts";
import { watBytes } from "../../../scripts/wat.ts";

const textOf = (file: string): string => readFileSync(path("bench/peers/jco", file), "utf8");

export async function build(): Promise<void> {
  const module = await watBytes(textOf("guest.wat"));
  const component = await componentNew(
    await componentEmbed({ binary: module, witSource: textOf("world.wit"), world: "guest" }),
  );
  const { files } = await transpileBytes(component, {
    name: "guest",
    outDir: "build/bench/peers/jco",
    asyncMode: "jspi",
    instantiation: "sync",
    wasiShim: false,
    emitTypescriptDeclarations: false,
  });
  for (const [file, contents] of Object.entries(files)) {
    mkdirSync(dirname(path(file)), { recursive: true });
    writeFileSync(path(file), contents);
  }
}
