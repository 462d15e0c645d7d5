// One thread of the exploration of groups: explores one plan after the other, by its number.

import { parentPort } from "node:worker_threads";
import type { Variant } from "../variant.ts";
import { exploreGroups } from "./explore.ts";
import { PLANS } from "./plans.ts";

export interface GroupJob {
  variant: Variant;
  plan: number;
}

parentPort!.on("message", ({ variant, plan }: GroupJob) => {
  parentPort!.postMessage(exploreGroups(variant, PLANS[plan]!));
});
