// Refusals: what is not there, not allowed or malformed is said, and nothing else happens.

import { Checks } from "../check.ts";
import { expectAnswer, expectEqual } from "../expect.ts";
import { JSON_TEXT, refusal } from "./answers.ts";

const { all, check } = new Checks();
export const refusals = all;

for (const [path, shown = path] of [
  ["/nowhere"],
  ["/hello/"],
  ["/HELLO"],
  ["/kvx"],
  ["/proxy"],
  ["//hello"],
  ['/"', "/%22"],
  ["/a%2Fb"],
] as const)
  check(`refusals: ${path} is not there`, async ({ send }) => {
    const expected = refusal(404, "not-found", `there is nothing at ${shown}`);
    await expectAnswer(await send(path), expected);
    await expectAnswer(await send(path, { method: "POST" }), expected);
    const head = { status: 404, headers: { "content-type": JSON_TEXT }, body: "" };
    await expectAnswer(await send(path, { method: "HEAD" }), head);
  });

for (const [method, path, allow] of [
  ["POST", "/", "GET, HEAD"],
  ["PUT", "/hello", "GET, HEAD"],
  ["POST", "/kv", "GET, HEAD"],
  ["POST", "/kv/a", "GET, HEAD, PUT, DELETE"],
  ["PATCH", "/kv/a", "GET, HEAD, PUT, DELETE"],
  ["POST", "/aggregate", "GET, HEAD"],
  ["DELETE", "/page/a", "GET, HEAD"],
  ["POST", "/sleep/1", "GET, HEAD"],
  ["POST", "/deadline", "GET, HEAD"],
  ["GET", "/upper", "POST"],
  ["OPTIONS", "/upper", "POST"],
  ["POST", "/proxy/echo", "GET, HEAD"],
] as const)
  check(`refusals: ${method} ${path} is not allowed, and the answer says what is`, async ({ send, stats }) => {
    const expected = refusal(405, "method-not-allowed", `${path} does not take ${method}`);
    await expectAnswer(await send(path, { method }), { ...expected, headers: { ...expected.headers, allow } });
    expectEqual((await stats()).requests, 0, "requests that the upstream has seen");
  });

const N = "n is a whole number from 1 to 30";
const DELAY = "delay is a whole number from 0 to 30000, in milliseconds";
const TIMEOUT = "timeout is a whole number from 1 to 30000, in milliseconds";
const SLEEP = "sleep 0 to 30000 ms: /sleep/100";
const LIMIT = "limit is a whole number from 1 to 1000";
const QUERY = "the query is not percent-encoded UTF-8";
const PATH = "the path is not percent-encoded UTF-8";

for (const [path, detail] of [
  ["/aggregate?n=31", N],
  ["/aggregate?n=0", N],
  ["/aggregate?n=", N],
  ["/aggregate?n", N],
  ["/aggregate?n=-1", N],
  ["/aggregate?n=1.5", N],
  ["/aggregate?n=0x5", N],
  ["/aggregate?n=five", N],
  ["/aggregate?n=4294967297", N],
  ["/aggregate?n=99999999999999999999999999", N],
  ["/aggregate?delay=30001", DELAY],
  ["/aggregate?delay=1e2", DELAY],
  ["/deadline?timeout=0", TIMEOUT],
  ["/deadline?timeout=soon", TIMEOUT],
  ["/deadline?delay=-5", DELAY],
  ["/sleep/", SLEEP],
  ["/sleep/30001", SLEEP],
  ["/sleep/-1", SLEEP],
  ["/sleep/1/2", SLEEP],
  ["/sleep/%31", SLEEP],
  ["/kv?limit=0", LIMIT],
  ["/kv?limit=1001", LIMIT],
  ["/kv?prefix=%", QUERY],
  ["/kv?prefix=%zz", QUERY],
  ["/kv?prefix=%ff", QUERY],
  ["/kv?%c3=%a9", QUERY],
  ["/kv/%ff", PATH],
  ["/kv/%e", PATH],
  ["/page/%c3%28", PATH],
] as const)
  check(`refusals: ${path} is malformed, and the answer says why`, async ({ send, stats }) => {
    await expectAnswer(await send(path), refusal(400, "bad-request", detail));
    expectEqual((await stats()).requests, 0, "requests that the upstream has seen");
  });
