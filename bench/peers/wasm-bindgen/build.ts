// Compiles the guest with cargo and makes its JavaScript with the library of wasm-bindgen's program.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { path } from "../../../scripts/paths.ts";

const FOLDER = path("bench/peers/wasm-bindgen");
const TARGET = "wasm32-unknown-unknown";
const built = path("build/bench/peers/wasm-bindgen");

export async function build(): Promise<void> {
  await cargo("build", "--package", "guest", "--target", TARGET);
  await cargo("run", "--package", "bindgen", "--", `${built}/cargo/${TARGET}/release/guest.wasm`, built);
}

async function cargo(command: string, ...rest: string[]): Promise<void> {
  const argv = [command, "--release", "--locked", "--quiet", "--target-dir", `${built}/cargo`, ...rest];
  try {
    await promisify(execFile)("cargo", argv, { cwd: FOLDER });
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") throw new Error("there is no cargo", { cause: error });
    if (stderr?.includes("target may not be installed"))
      throw new Error(`run \`rustup target add ${TARGET}\``, { cause: error });
    throw new Error(`cargo ${command} fails: ${stderr?.split("\n")[0]}`, { cause: error });
  }
}
