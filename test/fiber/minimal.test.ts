// On the minimal runtime `await` does not compile, and says why.

import { existsSync, readFileSync } from "node:fs";
import asc from "assemblyscript/asc";
import { expect, test } from "vitest";
import { path } from "../../scripts/paths.ts";

const GUEST = `import { Exchange, fiber, noop, serve } from "../../assembly/index";
export { run, run_fiber } from "../../assembly/index";
serve((exchange: Exchange) => {
  fiber(exchange, (exchange) => {
    noop().await();
    exchange.respond(200, "");
  }).submit();
});
`;

async function compile(runtime: string): Promise<{ wasm: boolean; diagnostics: string }> {
  let [wasm, diagnostics] = [false, ""];
  const entry = "test/guest/awaits.ts";
  await asc.main([entry, "--config", "asconfig.json", "--runtime", runtime, "--outFile", "awaits.wasm"], {
    readFile: (name, baseDir) => {
      if (name === entry) return GUEST;
      const file = path(baseDir, name);
      return existsSync(file) ? readFileSync(file, "utf8") : null;
    },
    writeFile: (name) => void (wasm ||= name.endsWith(".wasm")),
    stderr: { write: (text: string | Uint8Array) => void (diagnostics += text) },
  });
  return { wasm, diagnostics };
}

test("fiber: await does not compile on the minimal runtime, and says why and what to use", async () => {
  const { wasm, diagnostics } = await compile("minimal");
  expect(wasm).toBe(false);
  expect(diagnostics).toMatch(/await: the minimal runtime would collect what only a waiting fiber refers to/);
  expect(diagnostics).toMatch(/use incremental or stub/);
});

test.for(["incremental", "stub"])("fiber: await compiles on the %s runtime", async (runtime) => {
  expect(await compile(runtime)).toMatchObject({ wasm: true });
});
