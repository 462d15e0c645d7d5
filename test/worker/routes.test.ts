// Every route of the deployed Worker, over HTTP on real workerd, in each isolation mode: the suite that every host passes.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Stats, Subject } from "../../conformance/http/check.ts";
import { perform } from "../../conformance/http/perform.ts";
import { CHECKS } from "../../conformance/http/suite.ts";
import { readHosts } from "../../conformance/hosts.ts";
import { startLocal } from "../../scripts/miniflare.ts";
import type { Local } from "../../scripts/miniflare.ts";

const [workerd] = readHosts("workerd");
const skips = Object.entries(workerd!.skip ?? {}).map(([check, reason]) => ({ check, reason }));

describe.for(["request", "pooled", "shared"] as const)("%s", (isolation) => {
  let local: Local;
  let subject: Subject;

  beforeAll(async () => {
    local = await startLocal({ isolation });
    const stats = async (method: string): Promise<Stats> => {
      const upstream = await local.mf.getWorker("wasm-proactor-upstream");
      return (await upstream.fetch("http://upstream.internal/stats", { method })).json() as Promise<Stats>;
    };
    subject = {
      send: (path, init) => fetch(`${local.url}${path}`, { redirect: "manual", ...init }),
      stats: () => stats("GET"),
      resetStats: async () => void (await stats("DELETE")),
      run: "routes",
    };
  });
  afterAll(() => local.dispose());

  test.for(CHECKS)("$name", async (check, { skip }) => {
    for await (const outcome of perform([check], subject, skips)) {
      if (outcome.is === "skipped") skip(outcome.reason);
      if (outcome.is === "FAILED") expect.fail(outcome.difference);
    }
  });
});
