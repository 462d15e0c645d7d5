import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { grantedUrl } from "../../src/granted-url.ts";
import { origin } from "../../src/resource.ts";
import { Random } from "../../src/testing/random.ts";

const ORIGINS = ["https://one.test", "http://two.test:8080"];
const grant = origin(ORIGINS);

/** What may be fetched, or undefined. */
function granted(text: string, base = ORIGINS[0]!): string | undefined {
  try {
    return grantedUrl(text, base, grant, Status.Invalid);
  } catch {
    return undefined;
  }
}

/** The same by the parser alone. */
function parsed(text: string, base = ORIGINS[0]!): string | undefined {
  const url = URL.parse(text, base);
  const isGranted = url && ORIGINS.includes(url.origin) && /^https?:$/.test(url.protocol);
  return isGranted && !url.username && !url.password ? url.href : undefined;
}

// What parsers treat in ways of their own, and what is the same to them.
const PARTS = [
  ...ORIGINS,
  ...`\0\t\n !"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~aZé`.split(""),
  ..."https:// http: // .. %2e :8080 :443 one.test evil.test user:secret@ blob: /part/1 ?q=a \u{1f642}".split(" "),
];

test("granted URL: whatever the text, it is what the parser makes of it", () => {
  const random = new Random(1);
  let allowed = 0;
  for (let index = 0; index < 200_000; index++) {
    const length = random.between(1, 6);
    const text = Array.from({ length }, () => random.pick(PARTS)).join("");
    const base = random.chance(0.8) ? ORIGINS[0]! : `${random.pick(ORIGINS)}/a/b?c`;
    const expected = parsed(text, base);
    if (granted(text, base) !== expected) expect([text, base, granted(text, base)]).toEqual([text, base, expected]);
    if (expected !== undefined) allowed++;
  }
  expect(allowed).toBeGreaterThan(20_000);
});

test.for(["/", "/part/1", "/a?b=c&d=e", "https://one.test/x", "http://two.test:8080/y.json"])(
  "granted URL: %s is granted",
  (text) => expect(granted(text)).toBe(new URL(text, ORIGINS[0]).href),
);

test.for(["//evil.test/", "https://one.test.evil.test/", "https://one.test@evil.test/", "http://one.test/", "blob:x"])(
  "granted URL: %s is not",
  (text) => expect(granted(text)).toBeUndefined(),
);
