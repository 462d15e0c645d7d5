// Check: it must object to an answer in which one thing is wrong.

import { expect, test } from "vitest";
import { Simulation } from "../../src/testing/index.ts";
import type { Answer } from "../../src/testing/index.ts";
import { check } from "../../simulate/check.ts";
import type { Circumstances } from "../../simulate/check.ts";
import { Facts, bodyOf, checksum } from "../../simulate/facts.ts";
import type { Operation, Program, Step } from "../../simulate/program.ts";

function step(operation: Operation, parent: number, x = 0, deadline = 0): Step {
  return { operation, parent, deadline, x, y: 0 };
}

/** Objects to what `text` says of this program, or does not. */
function objection(
  steps: Step[],
  text: string,
  status = 200,
  changed: Partial<Circumstances> = {},
): string | undefined {
  const program: Program = { id: 7, steps };
  const facts = new Facts();
  const circumstances: Circumstances = {
    isolation: "pooled",
    tight: false,
    subrequests: Infinity,
    facts,
    reports: [],
    bodyBytes: 0,
    peaceful: false,
    shutdown: false,
    ...changed,
  };
  const bytes = new TextEncoder().encode(text);
  const request = new Request("http://guest.test/7/");
  const answer: Answer = {
    index: 7,
    request,
    response: new Response(null, { status }),
    bytes,
    text,
    complete: true,
    at: 0,
  };
  try {
    check(program, answer, circumstances, new Simulation());
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const FETCHED = checksum(bodyOf(7, 0, 10));
const FETCH = [step("fetch", -1, 10), step("answer", 0)];

test("check: it agrees with what is right", () => {
  expect(objection(FETCH, `7|0:0:200:${FETCHED}|`)).toBeUndefined();
  expect(objection([step("fetch", -1, 10, 5), step("answer", 0)], "7|0:-9|")).toBeUndefined();
  expect(
    objection([step("abort", -1)], '{"error":"trap"}', 500, { reports: [trap("the program says so")] }),
  ).toBeUndefined();
  expect(objection([step("noop", -1)], '{"error":"unanswered"}', 500)).toBeUndefined();
  expect(objection([step("timer", -1), step("cancel", -1), step("answer", 0)], "7|1:0|0:-8|")).toBeUndefined();
});

function trap(message: string) {
  return { kind: "trap" as const, message, request: "GET http://guest.test/7/" };
}

test.for<[string, Step[], string, RegExp]>([
  ["another request's answer", FETCH, "8|0:0:200:1|", /no step of the program gives this answer/],
  ["another body", FETCH, "7|0:0:200:10.1|", /got Ok with 200:10.1, not with 200:/],
  ["a time-out without a deadline", FETCH, "7|0:-9|", /step 0 \(fetch\) got TimedOut, for no reason/],
  ["a failure that nobody has caused", FETCH, "7|0:-32|", /got Network, for no reason/],
  ["a step that ended twice", FETCH, `7|0:0:200:${FETCHED}|0:0:200:${FETCHED}|`, /step 0 ended 2 times/],
  [
    "a step before its time",
    [step("timer", -1), step("noop", 0), step("answer", 1)],
    "7|1:0|0:0|",
    /ended before step 0/,
  ],
  ["a step that is not there", FETCH, "7|5:0|", /the log has a step 5/],
  ["a value that the store never gave", [step("get", -1), step("answer", 0)], "7|0:0:1.1|", /the store was not asked/],
  [
    "a cancel that won for nothing",
    [step("timer", -1), step("cancel", -1), step("answer", 0)],
    "7|1:0|0:0|",
    /won, but step 0 ended with 0/,
  ],
  [
    "a cancel that came too late for nothing",
    [step("timer", -1), step("cancel", -1), step("answer", 0)],
    "7|1:1|0:0|",
    /came too late, but step 0 had not ended/,
  ],
])("check: it objects to %s", ([, steps, text, reason]) => {
  expect(objection(steps, text)).toMatch(reason);
});

test.for<[string, Step[], string, RegExp]>([
  ["a trap that nobody has programmed", [step("noop", -1)], "trap", /no step of its program does/],
  ["silence where there is an answer", FETCH, "unanswered", /nobody answered it/],
  ["a condemned instance that was not shared", FETCH, "condemned", /failed as condemned/],
])("check: it objects to %s", ([, steps, error, reason]) => {
  expect(objection(steps, JSON.stringify({ error }), 500, { reports: [trap("out of nowhere")] })).toMatch(reason);
});
