// One thread of `npm run explore`: explores what it is told to, and tells how far it is.

import { parentPort } from "node:worker_threads";
import { explore } from "./explorer.ts";
import type { ExploreOptions, Report } from "./explorer.ts";
import type { Variant } from "./variant.ts";

export interface Job extends ExploreOptions {
  variant: Variant;
  /** After which the exploration ends where it is. */
  seconds: number;
}

export interface Progress {
  report: Report;
  isOver: boolean;
}

const PROGRESS_MS = 200;

parentPort!.on("message", ({ variant, seconds, ...options }: Job) => {
  const end = performance.now() + seconds * 1000;
  const tell = (report: Report, isOver: boolean): void => {
    parentPort!.postMessage({ report, isOver } satisfies Progress);
  };
  let told = 0;
  const report = explore(variant, {
    ...options,
    goOn: (progress) => {
      const now = performance.now();
      if (now > told + PROGRESS_MS) tell(progress, false);
      if (now > told + PROGRESS_MS) told = now;
      return now < end;
    },
  });
  tell(report, true);
});
