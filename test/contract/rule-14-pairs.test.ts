// Rule 14: one encoding for lists of pairs. Count, then lengths, then bytes; order and repeats kept.

import { array, assert, integer, property, string, tuple, uint8Array } from "fast-check";
import { expect, test } from "vitest";
import { PAIR_COUNT_MAX, RESPOND_FORWARD, Status } from "../../assembly/abi.ts";
import { Failure } from "../../src/failure.ts";
import { decodePairs, encodePairs } from "../../src/pairs.ts";
import type { Pair } from "../../src/pairs.ts";
import { Simulation } from "../../src/testing/index.ts";
import { fetch, puppet, respond } from "./puppet.ts";

const anyPairs = array(tuple(string({ unit: "binary", minLength: 1 }), string({ unit: "binary" })), { maxLength: 50 });

/** What the encoding is, in as few words as possible. */
function reference(pairs: readonly Pair[]): Uint8Array {
  const texts = pairs.flat().map((text) => new TextEncoder().encode(text));
  const head = new Uint32Array([pairs.length, ...texts.map(({ length }) => length)]);
  return new Uint8Array(Buffer.concat([new Uint8Array(head.buffer), ...texts]));
}

test("rule 14: a list is its count, its lengths and its texts, and nothing between them", () =>
  assert(
    property(anyPairs, uint8Array(), (pairs, tail) => {
      expect(encodePairs(pairs)).toEqual(reference(pairs));
      expect(encodePairs(pairs, tail)).toEqual(new Uint8Array([...reference(pairs), ...tail]));
    }),
  ));

test("rule 14: what was encoded decodes to itself, wherever it lies", () =>
  assert(
    property(anyPairs, integer({ min: 0, max: 9 }), (pairs, before) => {
      const encoded = encodePairs(pairs);
      const bytes = new Uint8Array(before + encoded.length + 5);
      bytes.set(encoded, before);
      expect(decodePairs(bytes, before, encoded.length)).toEqual(
        pairs.map((pair) => pair.map((text) => text.toWellFormed())),
      );
    }),
  ));

test("rule 14: a list that is not exactly as long as it says is Invalid", () =>
  assert(
    property(anyPairs, integer({ min: -20, max: 20 }), (pairs, by) => {
      const encoded = encodePairs(pairs);
      const length = encoded.length + by;
      if (by === 0 || length <= 0) return;
      const bytes = new Uint8Array(encoded.length + 20);
      bytes.set(encoded);
      expect(() => decodePairs(bytes, 0, length)).toThrow(Failure);
    }),
  ));

test("rule 14: no bytes make the decoder read outside, loop or throw anything but a Failure", () =>
  assert(
    property(uint8Array({ maxLength: 64 }), integer({ min: 0, max: 8 }), (bytes, at) => {
      try {
        const pairs = decodePairs(bytes, Math.min(at, bytes.length), Math.max(0, bytes.length - at));
        expect(encodePairs(pairs)).toEqual(pairs.length > 0 ? bytes.slice(at) : encodePairs([]));
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
        expect([Status.Invalid, Status.TooBig]).toContain((error as Failure).status);
      }
    }),
  ));

test.for<[string, number[], Status]>([
  ["a count without lengths", [1], Status.Invalid],
  ["lengths beyond the end", [1, 5, 5], Status.Invalid],
  ["lengths whose sum wraps around", [1, 0xffff_ffff, 0xffff_ffff], Status.Invalid],
  ["lengths whose sum wraps around to 0", [1, 0x8000_0000, 0x8000_0000], Status.Invalid],
  ["a count that wraps around", [0x2000_0000, 0, 0], Status.TooBig],
  ["more pairs than allowed", [PAIR_COUNT_MAX + 1, ...Array<number>((PAIR_COUNT_MAX + 1) * 2).fill(0)], Status.TooBig],
  ["bytes behind the end", [0, 0], Status.Invalid],
  ["an empty name", [1, 0, 0], Status.Invalid],
])("rule 14: %s", ([, words, status]) => {
  const bytes = new Uint8Array(new Uint32Array(words).buffer);
  let failure: unknown;
  try {
    decodePairs(bytes, 0, bytes.length);
  } catch (error) {
    failure = error;
  }
  expect((failure as Failure).status).toBe(status);
});

test("rule 14: as many pairs as allowed are allowed, and no bytes at all are an empty list", () => {
  const most = Array.from({ length: PAIR_COUNT_MAX }, (_, index): Pair => [`n${index}`, ""]);
  const encoded = encodePairs(most);
  expect(decodePairs(encoded, 0, encoded.length)).toEqual(most);
  expect(decodePairs(new Uint8Array(0), 0, 0)).toEqual([]);
});

const COOKIES: Pair[] = [
  ["set-cookie", "a=1; Path=/"],
  ["x-other", "between"],
  ["set-cookie", "b=2, with a comma"],
  ["set-cookie", "a=1; Path=/"],
];

test("rule 14: repeated headers pass both ways in order", async () => {
  const simulation = new Simulation({ delay: [0, 0] });
  const upstream = (): Response => new Response("", { headers: COOKIES as [string, string][] });
  const stage = await puppet({ simulation, resources: { API: simulation.origin("https://api.test", upstream) } });
  let fetched: Pair[] = [];
  const response = await stage.serve(function* (exchange, puppet) {
    puppet.submit(fetch(puppet.open("API"), "/"));
    const [done] = yield;
    fetched = decodePairs(done!.payload, 0, done!.payload.length);
    puppet.submit({ ...respond(exchange), meta: encodePairs(COOKIES) });
    yield;
  });
  const values = ["a=1; Path=/", "b=2, with a comma", "a=1; Path=/"];
  expect(fetched.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual(values);
  expect(response.headers.getSetCookie()).toEqual(values);
});

test("rule 14: a forwarded response keeps its headers, and what the guest adds comes behind them", async () => {
  const simulation = new Simulation({ delay: [0, 0] });
  const upstream = (): Response => new Response("body", { headers: COOKIES as [string, string][] });
  const stage = await puppet({ simulation, resources: { API: simulation.origin("https://api.test", upstream) } });
  const response = await stage.serve(function* (exchange, puppet) {
    puppet.submit(fetch(puppet.open("API"), "/"));
    const [done] = yield;
    const added = encodePairs([["set-cookie", "c=3"]]);
    puppet.submit({ ...respond(exchange), arguments: [0, done!.resource], flags: RESPOND_FORWARD, meta: added });
    yield;
  });
  expect(response.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2, with a comma", "a=1; Path=/", "c=3"]);
  expect(await response.text()).toBe("body");
});

test("rule 14: a request's head is its method and URL, then its headers", async () => {
  const stage = await puppet();
  let head: Pair[] = [];
  const request = new Request("http://puppet.test/ä?q=1#gone", {
    method: "PUT",
    headers: [
      ["X-B", "2"],
      ["x-a", "1"],
    ],
  });
  await stage.serve(function* (exchange, puppet, bytes) {
    head = decodePairs(bytes, 0, bytes.length);
    puppet.submit(respond(exchange));
    yield;
  }, request);
  // A Request keeps its fragment, which HTTP would not have sent.
  expect(head[0]).toEqual(["PUT", "http://puppet.test/%C3%A4?q=1"]);
  expect(head.slice(1)).toEqual([...request.headers]);
});
