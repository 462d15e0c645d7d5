// Upstream: fetches at once, fetches with a deadline, responses that are handed on untouched.

import { Checks, eventually } from "../check.ts";
import type { Stats, Subject } from "../check.ts";
import { Difference, expectAnswer, expectEqual, wholeNumber } from "../expect.ts";
import { HTML, JSON_TEXT, refusal, text } from "./answers.ts";

const { all, check } = new Checks();
export const upstream = all;

/** What any host lets one request fetch at once, whatever else it allows. */
const AT_ONCE = 6;
const LINE = new TextEncoder().encode("0123456789abcde\n");
/** Milliseconds. Long enough to see all fetches at once, on any machine. */
const LONG_MS = 3_000;
/** Text would be compressed on its way to a client that takes it so. */
const PLAIN = { headers: { "accept-encoding": "identity" } };

const seen = (requests: number, more: Partial<Stats> = {}): Stats => ({
  requests,
  active: 0,
  peak: 1,
  aborted: 0,
  ...more,
});

check("aggregate: all fetches are under way at once", async ({ send, stats }) => {
  const gone = new AbortController();
  // A host that does not hear that its client has gone keeps the next check waiting for so long.
  const answer = send(`/aggregate?n=${AT_ONCE}&delay=${LONG_MS}`, { signal: gone.signal });
  answer.catch(() => {});
  const expected = seen(AT_ONCE, { active: AT_ONCE, peak: AT_ONCE });
  await eventually("the upstream", stats, expected).finally(() => gone.abort());
});

check("aggregate: one answer for them all, with the start and the end of each", async ({ send, stats }) => {
  const whole = wholeNumber(0);
  const fetches = Array.from({ length: 30 }, () => ({ start: whole, end: whole, status: 200 }));
  const response = await send("/aggregate?n=30&delay=20");
  const body = await response.clone().json();
  const expected = { status: 200, headers: { "content-type": JSON_TEXT }, json: { took: whole, fetches } };
  await expectAnswer(response, expected);
  for (const { start, end } of body.fetches) expectEqual(start <= end && end <= body.took, true, "in order of time");
  expectEqual(await stats(), seen(30, { peak: wholeNumber(1, 30) as never }), "the upstream");
});

check("aggregate: five fetches unless told otherwise", async ({ send, stats }) => {
  const { fetches } = (await (await send("/aggregate")).json()) as { fetches: unknown[] };
  expectEqual([fetches.length, (await stats()).requests], [5, 5], "fetches");
});

/** Asks for a page until it comes from KV: it is stored after the answer. */
const eventuallyHits = ({ send }: Subject, path: string): Promise<void> =>
  eventually("x-cache", async () => (await send(path)).headers.get("x-cache"), "hit");

check("page: misses, then hits and leaves the upstream alone", async (subject) => {
  const { send, stats, resetStats, run } = subject;
  const path = `/page/${run}%20welcome`;
  const body = `<!doctype html><meta charset="utf-8"><title>${run} welcome</title><h1>${run} welcome</h1>\n`;
  const page = (found: string) => ({ status: 200, headers: { "content-type": HTML, "x-cache": found }, body });
  await expectAnswer(await send(path), page("miss"));
  await eventuallyHits(subject, path);
  await resetStats();
  await expectAnswer(await send(path), page("hit"));
  expectEqual((await stats()).requests, 0, "requests that the upstream has seen");
});

check("page: is stored with a time to live of a minute", async (subject) => {
  const path = `/page/${subject.run}-mortal`;
  const before = Math.floor(Date.now() / 1000);
  await subject.send(path);
  await eventuallyHits(subject, path);
  const response = await subject.send(`/kv?prefix=${path}`);
  const expiration = wholeNumber(before + 60, Math.ceil(Date.now() / 1000) + 60);
  await expectAnswer(response, { status: 200, json: { keys: [{ name: path, expiration }], cursor: null } });
});

check("page: nobody can plant one through KV", async ({ send, run }) => {
  const body = "<script>alert(1)</script>";
  await send(`/kv/${encodeURIComponent(`/page/${run}-planted`)}`, { method: "PUT", body });
  const headers = { "x-cache": "miss" };
  await expectAnswer(await send(`/page/${run}-planted`), { status: 200, headers, body: /<h1>.*-planted<\/h1>/ });
});

check("deadline: too slow an upstream is a 504, and sees the abort", async ({ send, stats }) => {
  await expectAnswer(await send("/deadline?timeout=50&delay=20000"), refusal(504, "timed-out"));
  await eventually("the upstream", stats, seen(1, { aborted: 1 }));
});

check("deadline: an upstream in time is answered", async ({ send, stats }) => {
  await expectAnswer(await send("/deadline?timeout=20000&delay=20"), text("in time"));
  expectEqual(await stats(), seen(1), "the upstream");
});

check("proxy: hands on path and query as they are", async ({ send }) => {
  const response = await send("/proxy/echo/../echo?a=1&b=%20&c=%C3%A9");
  expectEqual([response.status, response.headers.get("content-type")], [200, "application/json"], "head");
  const { method, url, body } = await response.json();
  const { pathname, search } = new URL(url);
  const expected = { method: "GET", body: "", pathname: "/echo", search: "?a=1&b=%20&c=%C3%A9" };
  expectEqual({ method, body, pathname, search }, expected, "what the upstream was asked");
});

check("proxy: hands on a failure as it is", async ({ send }) => {
  const failure = { status: 503, headers: { "content-type": "text/plain" }, body: "upstream /some/thing\n" };
  await expectAnswer(await send("/proxy/some/thing?status=503"), failure);
  await expectAnswer(await send("/proxy/missing?status=404"), { status: 404, body: "upstream /missing\n" });
});

check("proxy: an answer has one date at most, the upstream's or the host's", async ({ send }) => {
  const response = await send("/proxy/some/thing");
  const date = response.headers.get("date") ?? "Sun, 06 Nov 1994 08:49:37 GMT";
  await expectAnswer(response, { status: 200, body: "upstream /some/thing\n" });
  expectEqual(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/.test(date), true, `one date: ${date}`);
});

check("proxy: an answer without a body has none", async ({ send }) => {
  await expectAnswer(await send("/proxy/?status=204"), { status: 204, body: "" });
  await expectAnswer(await send("/proxy/?size=0"), { status: 200, body: "" });
});

check("proxy: what upstream has compressed is the same text in the end", async ({ send }) => {
  const response = await send("/proxy/gzip");
  await expectAnswer(response, { status: 200, body: "upstream, compressed\n".repeat(100) });
});

check("proxy: two cookies stay two, in their order", async ({ send }) => {
  const response = await send("/proxy/cookies");
  await response.text();
  const cookies = ["first=1; Path=/", "second=2; Path=/; Expires=Wed, 01 Jan 2031 00:00:00 GMT"];
  expectEqual(response.headers.getSetCookie(), cookies, "cookies");
});

check("proxy: a redirect is handed on, not followed, wherever it leads", async ({ send, stats }) => {
  for (const location of ["/page/there", "http://elsewhere.example/"])
    await expectAnswer(await send(`/proxy/?redirect=${location}`), { status: 302, headers: { location }, body: "" });
  expectEqual((await stats()).requests, 2, "requests that the upstream has seen");
});

check("proxy: leads nowhere but to the upstream", async ({ send, stats }) => {
  await expectAnswer(await send("/proxy//elsewhere.example/"), refusal(403, "forbidden"));
  expectEqual((await stats()).requests, 0, "requests that the upstream has seen");
});

check("proxy: a body's length is handed on with it", async ({ send }) => {
  const headers = { "content-length": "100000" };
  await expectAnswer(await send("/proxy/file?size=100000", PLAIN), { status: 200, headers });
});

check("proxy: 20 MB come through byte for byte", async ({ send, stats }) => {
  const size = 20_000_000;
  const response = await send(`/proxy/file?size=${size}`, PLAIN);
  expectEqual(response.status, 200, "status");
  let at = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>)
    for (const byte of chunk)
      if (byte !== LINE[at++ % LINE.length]) throw new Difference(`body: byte ${at - 1} is ${byte}`);
  expectEqual(at, size, "bytes of the body");
  await eventually("the upstream", stats, seen(1));
});

check("proxy: HEAD lets go of a body that nobody will read", async ({ send, stats }) => {
  const expected = { status: 200, headers: { "content-type": "text/plain" }, body: "" };
  await expectAnswer(await send("/proxy/file?size=200000000", { method: "HEAD", ...PLAIN }), expected);
  // Some platforms read it to its end, for nobody.
  await eventually("requests that the upstream has not ended", async () => (await stats()).active, 0);
});

check("proxy: a client that goes away in the middle of a body ends the upstream's work", async ({ send, stats }) => {
  const response = await send("/proxy/file?size=200000000", PLAIN);
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  await eventually("the upstream", stats, seen(1, { aborted: 1 }));
});
