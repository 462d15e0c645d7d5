// First steps: an answer at once, a timer, a request's body.

import { Checks } from "../check.ts";
import { expectAnswer } from "../expect.ts";
import { HTML, TEXT, refusal, text } from "./answers.ts";

const { all, check } = new Checks();
export const firstSteps = all;

const UPPER_BYTES_MAX = 1_048_576;

check("hello: answers at once, as text", async ({ send }) => {
  await expectAnswer(await send("/hello"), text("hello"));
});

check("hello: HEAD is GET without the body", async ({ send }) => {
  const expected = { status: 200, headers: { "content-type": TEXT }, body: "" };
  await expectAnswer(await send("/hello", { method: "HEAD" }), expected);
});

check("start page: is HTML that may load nothing from elsewhere", async ({ send }) => {
  const headers = { "content-type": HTML, "content-security-policy": /default-src 'none'/ };
  await expectAnswer(await send("/"), { status: 200, headers, body: /^<!doctype html>.*<\/html>\n$/s });
});

check("sleep: answers when its timer has fired", async ({ send }) => {
  await expectAnswer(await send("/sleep/50"), text("awake"));
  await expectAnswer(await send("/sleep/0"), text("awake"));
});

check("upper: answers the body in upper case, in any script", async ({ send }) => {
  const body = "quiet, bitte: größer, été, ёлка, 😀";
  await expectAnswer(await send("/upper", { method: "POST", body }), text(body.toUpperCase()));
});

check("upper: no body is an empty one", async ({ send }) => {
  await expectAnswer(await send("/upper", { method: "POST" }), text(""));
  await expectAnswer(await send("/upper", { method: "POST", body: "" }), text(""));
});

check("upper: a body may come in pieces, of a length that nobody knows", async ({ send }) => {
  const pieces = ["sch", "ön, ", "", "ja"]
    .map((piece) => new TextEncoder().encode(piece))
    .filter(({ length }) => length);
  // A character of two bytes that come one after the other.
  pieces.splice(1, 1, pieces[1]!.slice(0, 1), pieces[1]!.slice(1));
  const body = new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else controller.close();
    },
  });
  await expectAnswer(await send("/upper", { method: "POST", body, duplex: "half" } as RequestInit), text("SCHÖN, JA"));
});

check("upper: a body of 1 MiB is taken, a longer one refused", async ({ send }) => {
  const most = "a".repeat(UPPER_BYTES_MAX);
  await expectAnswer(await send("/upper", { method: "POST", body: most }), text(most.toUpperCase()));
  await expectAnswer(await send("/upper", { method: "POST", body: `${most}a` }), refusal(413, "too-large"));
});

for (const [what, ...bytes] of [
  ["a stray byte", 0x61, 0xff],
  ["half a character", 0x61, 0xc3],
  ["a surrogate", 0xed, 0xa0, 0x80],
] as const)
  check(`upper: ${what} is no text`, async ({ send }) => {
    const response = await send("/upper", { method: "POST", body: new Uint8Array(bytes) });
    await expectAnswer(response, refusal(400, "bad-request", "the body is not UTF-8"));
  });
