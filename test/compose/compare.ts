// Compare: one script on the guest and in the model.

import { expect } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { UNIT_MS } from "./arbitrary.ts";
import { Model } from "./model.ts";
import type { Shared, Step } from "./script.ts";
import { LONG_MS, Stage } from "./stage.ts";
import type { StageOptions } from "./stage.ts";

const WAIT_MS = 50 * UNIT_MS;

/** When all is over the guest counts what is in flight. */
const END: Step = {
  do: "submit",
  number: 999,
  operation: { op: "timer", ms: LONG_MS },
  next: [{ do: "count" }],
};

/** Plays a script on the guest and in the model. False if nobody promises what comes of it. */
export async function compare(shared: Shared, steps: Step[], options: StageOptions = {}): Promise<boolean> {
  const script = [...steps, END];
  const model = new Model(shared, WAIT_MS);
  model.play(script);
  if (model.ambiguous) return false;
  const stage = await Stage.on({ ...options, limits: { waitMs: WAIT_MS } });
  stage.send(shared, script);
  await stage.settle();
  expect(stage.entries.map(({ at, number, results }) => ({ at, number, results }))).toEqual(model.entries);
  expect(inOrder(stage.reports)).toEqual(inOrder(model.reports));
  expect(stage.counts).toMatchObject([{ inFlight: 1, bodies: 0 }]);
  expect(stage.leftovers()).toEqual([]);
  return true;
}

interface Report {
  at: number;
  kind: string;
  operation: string | undefined;
  status: Status | undefined;
}

const inOrder = (reports: readonly Report[]): string[] =>
  reports.map(({ at, kind, operation, status }) => `${at} ${kind} ${operation} ${Status[status!]}`).toSorted();
