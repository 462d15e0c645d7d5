import { expect, test } from "vitest";
import { encodePairs } from "../../src/pairs.ts";
import type { Pair } from "../../src/pairs.ts";
import { responseHead } from "../../src/response-head.ts";

/** What a caller gets to see of an answer with this head. */
function answer(status: number, pairs: Pair[]): unknown {
  const list = encodePairs(pairs);
  const response = new Response("body", responseHead(status, list, 0, list.length));
  return { status: response.status, statusText: response.statusText, headers: [...response.headers] };
}

test.for<Pair[]>([
  [],
  [["content-type", "text/plain"]],
  // Joined values lose their last space when they are copied.
  [
    ["x", "a"],
    ["x", ""],
  ],
  [
    ["X", "a"],
    ["x", ""],
  ],
  [
    ["set-cookie", "b=2"],
    ["set-cookie", "a=1"],
  ],
])("response head: %j is the same each time", (pairs) => {
  const first = answer(201, pairs);
  for (let time = 0; time < 3; time++) expect(answer(201, pairs)).toEqual(first);
});

test("response head: only one with the same status is used again", () => {
  const list = encodePairs([["content-type", "text/html"]]);
  for (const status of [200, 200, 404, 404, 200])
    expect(new Response("body", responseHead(status, list, 0, list.length)).status).toBe(status);
});
