// Rule 10: text is UTF-8, in both directions, and nothing else is taken for it.

import { assert, property, string, uint8Array } from "fast-check";
import { expect, test } from "vitest";
import { Opcode, Status } from "../../assembly/abi.ts";
import { memoryKv } from "../../src/kv-memory.ts";
import { decodeText, encodeText } from "../../src/memory.ts";
import { decodePairs, encodePairs } from "../../src/pairs.ts";
import { Simulation } from "../../src/testing/index.ts";
import { fetch, get, puppet, put, respond, text } from "./puppet.ts";
import type { Submission } from "./puppet.ts";

const anyText = string({ unit: "binary", maxLength: 200 });

test("rule 10: every text that is well-formed decodes to what was encoded, at any place", () =>
  assert(
    property(anyText, (text) => {
      const bytes = new Uint8Array(text.length * 3 + 7);
      const length = encodeText(text, bytes, 3);
      expect(decodeText(bytes, 3, length)).toBe(text.toWellFormed());
      expect(bytes.subarray(3, 3 + length)).toEqual(new TextEncoder().encode(text));
    }),
  ));

test("rule 10: bytes decode as the strictest decoder says, or are Invalid", () =>
  assert(
    property(uint8Array({ maxLength: 120 }), (bytes) => {
      let expected: string | undefined;
      try {
        expected = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        expect(() => decodeText(bytes, 0, bytes.length)).toThrow("text is not UTF-8");
        return;
      }
      expect(decodeText(bytes, 0, bytes.length)).toBe(expected);
    }),
  ));

test("rule 10: a byte order mark is a character like any other", () => {
  const bytes = new Uint8Array(100);
  const length = encodeText("\ufeffkey", bytes, 0);
  expect(decodeText(bytes, 0, length)).toBe("\ufeffkey");
});

const KEYS = [
  "key",
  "ключ",
  "鍵/🗝️",
  "\ufeff",
  "a\u0000b",
  "é".repeat(256),
  "🗝".repeat(128),
  "k".repeat(512),
  " ",
  "%00",
];

test("rule 10: keys, values, headers and URLs arrive as they were sent", async () => {
  const simulation = new Simulation({ delay: [0, 0] });
  const store = memoryKv(simulation.clock);
  const paths: string[] = [];
  const resources = {
    STORE: simulation.kv({ store }),
    API: simulation.origin("https://api.test", ({ url }) => (paths.push(url), new Response("ok"))),
  };
  const stage = await puppet({ simulation, resources });
  let listed: string[] = [];
  await stage.serve(function* (exchange, puppet) {
    const [number, api] = [puppet.open("STORE"), puppet.open("API")];
    for (const key of KEYS) {
      puppet.submit(put(number, key, `value of ${key}`));
      expect((yield)[0]!.status, key).toBe(Status.Ok);
      puppet.submit(get(number, key));
      expect(text((yield)[0]!.payload)).toBe(`value of ${key}`);
    }
    puppet.submit({ opcode: Opcode.KvList, resource: number });
    const [done] = yield;
    const all = encodePairs(decodePairs(done!.payload, 0, done!.payload.length));
    listed = decodePairs(all, 0, all.length).map(([key]) => key);
    puppet.submit(fetch(api, "/ü?q=🗝"));
    yield;
    puppet.submit(respond(exchange));
    yield;
  });
  expect(listed.toSorted()).toEqual([...KEYS].toSorted());
  expect(paths).toEqual(["https://api.test/%C3%BC?q=%F0%9F%97%9D"]);
});

const MALFORMED: [string, number[]][] = [
  ["a stray continuation", [0x61, 0x80]],
  ["a missing continuation", [0x61, 0xc3]],
  ["an overlong slash", [0xc0, 0xaf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["a code point past the last", [0xf4, 0x90, 0x80, 0x80]],
  ["latin-1", [0xe9, 0x74, 0xe9]],
];

/** A list of one pair, of any bytes. */
function pairs(name: Uint8Array, value: Uint8Array): Uint8Array {
  const lengths = new Uint32Array([1, name.length, value.length]);
  return new Uint8Array([...new Uint8Array(lengths.buffer), ...name, ...value]);
}

test.for(MALFORMED)("rule 10: %s is Invalid wherever text is expected", async ([, bad]) => {
  // Short text and long text take different ways.
  for (const bytes of [new Uint8Array(bad), new Uint8Array([...bad, ...Array<number>(100).fill(0x61)])]) {
    const ascii = new TextEncoder().encode("x-name");
    const simulation = new Simulation({ delay: [0, 0] });
    const api = simulation.origin("https://api.test", () => new Response());
    const stage = await puppet({ simulation, resources: { STORE: simulation.kv(), API: api } });
    await stage.serve(function* (exchange, puppet) {
      const [store, origin] = [puppet.open("STORE"), puppet.open("API")];
      const wrong: Submission[] = [
        get(store, bytes),
        put(store, bytes, "value"),
        { ...put(store, "key", "value"), meta: bytes },
        { opcode: Opcode.KvDelete, resource: store, name: bytes },
        { opcode: Opcode.KvList, resource: store, name: bytes },
        { opcode: Opcode.KvList, resource: store, data: bytes },
        { opcode: Opcode.Fetch, resource: origin, meta: pairs(bytes, ascii) },
        { opcode: Opcode.Fetch, resource: origin, meta: pairs(ascii, bytes) },
        { ...respond(exchange), meta: pairs(bytes, ascii) },
        { ...respond(exchange), meta: pairs(ascii, bytes) },
      ];
      puppet.submit(...wrong);
      expect((yield).map(({ status }) => status)).toEqual(wrong.map(() => Status.Invalid));
      puppet.bytes.set(bytes, 0x2_0000);
      expect(puppet.imports.open(0x2_0000, bytes.length)).toBe(Status.Invalid);
      // A value and a body are bytes, whatever they look like.
      puppet.submit(put(store, "key", bytes));
      expect((yield)[0]!.status).toBe(Status.Ok);
      puppet.submit(respond(exchange, 200, bytes));
      yield;
    });
  }
});
