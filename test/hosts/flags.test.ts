// The command line that all hosts share.

import { expect, test } from "vitest";
import { BadUse, parseFlags } from "../../hosts/flags.ts";

test("flags: without any, a module is served at the usual place", () => {
  expect(parseFlags(["app.wasm"])).toEqual({
    module: "app.wasm",
    hostname: "127.0.0.1",
    port: 8787,
    isolation: "pooled",
    kv: {},
    origins: {},
  });
});

test("flags: grants have names, rights, files and URLs", () => {
  const flags = parseFlags(
    "--kv A --kv B=b=c.db --kv C:read --kv D:read,list=d.db --origin X=http://x.test --origin Y=http://y.test,https://z.test app.wasm".split(
      " ",
    ),
  );
  expect(flags.kv).toEqual({
    A: {},
    B: { path: "b=c.db" },
    C: { rights: ["read"] },
    D: { rights: ["read", "list"], path: "d.db" },
  });
  expect(flags.origins).toEqual({ X: ["http://x.test"], Y: ["http://y.test", "https://z.test"] });
});

test.for([
  ["", "one module"],
  ["a.wasm b.wasm", "one module"],
  ["a.wasm --port soon", "--port takes 0 to 65535"],
  ["a.wasm --port 65536", "--port takes 0 to 65535"],
  ["a.wasm --isolation none", "--isolation takes request, pooled, shared"],
  ["a.wasm --kv =file", "--kv takes NAME"],
  ["a.wasm --kv :read", "--kv takes NAME"],
  ["a.wasm --origin API", "--origin takes NAME="],
  ["a.wasm --origin =http://x.test", "--origin takes NAME="],
  ["a.wasm --kv A --origin A=http://x.test", "A is granted twice"],
  ["a.wasm --frob", "--frob"],
] as const)("flags: %s is a bad use, and says why", ([args, why]) => {
  const parse = () => parseFlags(args.split(" ").filter(Boolean));
  expect(parse).toThrow(BadUse);
  expect(parse).toThrow(why);
});
