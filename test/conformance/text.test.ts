// Text: UTF-8 at the border, UTF-16 inside, and what of a URL the guest decodes itself.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { onSimulatedHost } from "../support/hosts.ts";
import type { SimulatedHost } from "../support/hosts.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const post = async (host: SimulatedHost, path: string, body: BodyInit) => host.send(path, { method: "POST", body });

/** One character at `at`, or none: what the platform's strict decoder takes. */
function characterAt(bytes: Uint8Array<ArrayBuffer>, at: number): string | undefined {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      return decoder.decode(bytes.subarray(at, at + length));
    } catch {
      // A longer piece may be one.
    }
  }
  return undefined;
}

/** Text in which each byte that belongs to no character is U+FFFD. */
function leniently(bytes: Uint8Array<ArrayBuffer>): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const character = characterAt(bytes, at);
    text += character ?? "\ufffd";
    at += character === undefined ? 1 : new TextEncoder().encode(character).length;
  }
  return text;
}

/** Decodes %XX, or gives null where that cannot be done, by the platform's own means. */
function percentDecoded(text: string, form: boolean): string | null {
  try {
    return decodeURIComponent(form ? text.replaceAll("+", " ") : text);
  } catch {
    return null;
  }
}

/** The first value of a query's parameter; null if it is missing or malformed. */
function parameter(query: string, name: string): string | null {
  const found = query
    .split("&")
    .filter((part) => part !== "")
    .map((part) => [part.split("=")[0]!, part.includes("=") ? part.slice(part.indexOf("=") + 1) : ""] as const)
    .find(([key]) => percentDecoded(key, true) === name);
  return found ? percentDecoded(found[1], true) : null;
}

/** Pieces of what makes decoding difficult. */
const encoded = fc
  .array(
    fc.constantFrom("a", "=", "&", "+", "%", "%2", "%41", "%zz", "%e2", "%82", "%ac", "%ff", "%00", "%26", "?", "/"),
  )
  .map((parts) => parts.join(""));

/** Bytes around the borders of UTF-8's ranges. */
const nearUtf8 = fc
  .array(
    fc.constantFrom(
      0x00,
      0x7f,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc0,
      0xc1,
      0xc2,
      0xdf,
      0xe0,
      0xe1,
      0xed,
      0xef,
      0xf0,
      0xf1,
      0xf4,
      0xf5,
      0xff,
    ),
  )
  .map((bytes) => new Uint8Array(bytes));

onSimulatedHost(
  "text",
  (host) => {
    test("text: every character there is goes both ways unchanged", async () => {
      const codes = Array.from({ length: 0x110000 }, (_, code) => code).filter(
        (code) => code < 0xd800 || code > 0xdfff,
      );
      let text = "";
      for (const code of codes) text += String.fromCodePoint(code);
      const answer = await (await post(host, "/echo", text)).arrayBuffer();
      // A comparison of bytes: a failure would print four megabytes.
      expect(Buffer.compare(Buffer.from(answer), Buffer.from(text))).toBe(0);
    });

    test("text: a byte that belongs to no character becomes U+FFFD, and nothing traps", async () => {
      await fc.assert(
        fc.asyncProperty(nearUtf8, async (bytes) => {
          const answer = await (await post(host, "/echo", bytes)).arrayBuffer();
          expect(decoder.decode(answer)).toBe(leniently(bytes));
        }),
        { numRuns: 500 },
      );
    });

    test("text: an unpaired surrogate becomes U+FFFD on its way out", async () => {
      const expected = "\ufffda\ufffd\ufffd\u{1f642}\ufffd";
      expect(await (await host.fetch("/broken")).text()).toBe(expected);
      expect(await (await host.fetch("/broken-key")).text()).toBe(expected);
    });

    test("url: percent-encoded text is decoded as the platform does, or is null", async () => {
      await fc.assert(
        fc.asyncProperty(encoded, fc.boolean(), async (text, form) => {
          const response = await post(host, `/decode${form ? "?form" : ""}`, text);
          expect(await response.json()).toEqual({ text: percentDecoded(text, form) });
        }),
        { numRuns: 500 },
      );
    });

    test("url: a parameter is found by its decoded name", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string())), async (pairs) => {
          const parameters = new URLSearchParams(pairs);
          for (const name of [...parameters.keys(), "missing"]) {
            const response = await post(host, `/parameter?${parameters}`, name);
            expect(await response.json()).toEqual({ value: parameters.get(name) });
          }
        }),
        { numRuns: 100 },
      );
    });

    test("url: of a malformed query what can be decoded is found", async () => {
      await fc.assert(
        fc.asyncProperty(encoded, async (text) => {
          const query = new URL(`http://localhost/?${text}`).search.slice(1);
          for (const name of ["", "a", "A", "\u20ac", " ", "a a"]) {
            const response = await post(host, `/parameter?${query}`, name);
            expect(await response.json()).toEqual({ value: parameter(query, name) });
          }
        }),
        { numRuns: 200 },
      );
    });

    test.for([
      ["/", "/", ""],
      ["/a/b?c=d", "/a/b", "c=d"],
      ["/a?b?c", "/a", "b?c"],
      ["/?", "/", ""],
      ["/%2f/%C3%A9?%26", "/%2f/%C3%A9", "%26"],
      ["//x//y", "//x//y", ""],
      ["/a#fragment", "/a", ""],
    ] as const)("url: %s has the path %s and the query %j", async ([url, path, query]) => {
      expect(await host.json(url)).toEqual({ path, query });
    });
  },
  { runtimes: ["minimal"] },
);
