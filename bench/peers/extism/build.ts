// Compiles the plug-in as the kit's documentation has it.

import asc from "assemblyscript/asc";
import { path } from "../../../scripts/paths.ts";

const FOLDER = path("bench/peers/extism");

export async function build(): Promise<void> {
  const argv = ["assembly/plugin.ts", "--baseDir", FOLDER, "--path", `${FOLDER}/node_modules`];
  const outFile = path("build/bench/peers/extism.wasm");
  const options = ["-O3", "--use", "abort=assembly/plugin/abort", "--outFile", outFile];
  let diagnostics = "";
  const stderr = { write: (text: string | Uint8Array): void => void (diagnostics += text) };
  const { error } = await asc.main([...argv, ...options], { stderr });
  if (error) throw new Error(`the plug-in does not compile:\n${diagnostics}`, { cause: error });
}
