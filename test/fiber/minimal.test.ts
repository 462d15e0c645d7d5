// On the minimal runtime `await` does not compile, and says why.

import { expect, test } from "vitest";
import { compileGuest } from "../support/asc.ts";

const GUEST = `import { Exchange, fiber, noop, serve } from "../../assembly/index";
export { run, run_fiber } from "../../assembly/index";
serve((exchange: Exchange) => {
  fiber(exchange, (exchange) => {
    noop().await();
    exchange.respond(200, "");
  }).submit();
});
`;

const compile = (runtime: string) => compileGuest("test/guest/awaits.ts", ["--runtime", runtime], GUEST);

test("fiber: await does not compile on the minimal runtime, and says why and what to use", async () => {
  const { wasm, diagnostics } = await compile("minimal");
  expect(wasm).toBeUndefined();
  expect(diagnostics).toMatch(/await: the minimal runtime would collect what only a waiting fiber refers to/);
  expect(diagnostics).toMatch(/use incremental or stub/);
});

test.for(["incremental", "stub"])("fiber: await compiles on the %s runtime", async (runtime) => {
  expect((await compile(runtime)).wasm).toBeDefined();
});
