// Checks: the HTTP suite inside of a page, as far as it needs no socket. Whoever opens the page calls `performChecks`.

import type { Stats } from "../../../conformance/http/check.ts";
import { perform } from "../../../conformance/http/perform.ts";
import type { Outcome, Skip } from "../../../conformance/http/perform.ts";
import { CHECKS } from "../../../conformance/http/suite.ts";
import { PageHost, upstreamStats } from "./host.ts";

/** Performs those of these names, and tells each outcome. */
async function performChecks(names: readonly string[], skips: readonly Skip[], tell: (outcome: Outcome) => void) {
  const run = `run-${crypto.randomUUID().slice(0, 8)}`;
  const module = await (await fetch("worker.wasm")).arrayBuffer();
  const host = await PageHost.start({ module, store: "checks" });
  const subject = {
    send: (path: string, init?: RequestInit) => host.send(path, init),
    stats: () => upstreamStats() as Promise<Stats>,
    resetStats: async () => void (await upstreamStats("DELETE")),
    run,
  };
  const checks = CHECKS.filter(({ name }) => names.includes(name));
  for await (const outcome of perform(checks, subject, skips)) tell(outcome);
}

Object.assign(globalThis, { performChecks });
