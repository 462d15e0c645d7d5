// Seed: everything that one number decides about a run of the interpreter.

import type { ErrorReport, Limits } from "../src/index.ts";
import { Random, simulate } from "../src/testing/index.ts";
import type { Answer, SimulationRun } from "../src/testing/index.ts";
import { check } from "./check.ts";
import { Facts, bodyOf } from "./facts.ts";
import { drawProgram, pathOf, peacefulProgram } from "./program.ts";
import type { Program } from "./program.ts";

const ISOLATIONS = ["request", "pooled", "shared"] as const;

/** The interpreter, once for each of AssemblyScript's runtimes. */
export type Interpreters = readonly WebAssembly.Module[];

export interface SeedOptions {
  onTrace?: (line: string) => void;
}

/** Runs one seed. Throws a SimulationError that names it. */
export async function runSeed(
  interpreters: Interpreters,
  seed: number,
  { onTrace }: SeedOptions = {},
): Promise<SimulationRun> {
  const random = new Random(seed ^ 0x5eed);
  const module = random.pick(interpreters);
  const isolation = random.pick(ISOLATIONS);
  const requests = random.between(1, 12);
  const tight = random.chance(0.4);
  const limits = tight ? tightLimits(random) : {};
  const subrequests = random.chance(0.15) ? random.between(2, 10) : Infinity;
  const platform = { connections: random.between(1, 6), subrequests, waitUntilMs: random.pick([30_000, 1000]) };
  const pause = [0, random.pick([0, 5, 40, 200])] as const;
  const shutdown = random.chance(0.15) ? random.pick(["graceful", "now"] as const) : undefined;
  const bodyBytes = random.pick([0, 10, 3000]);
  const facts = new Facts();
  const programs: Program[] = [];
  const reports: ErrorReport[] = [];

  function request(index: number, random: Random, world: Parameters<Facts["kv"]>[0]): Request {
    const program = index < requests ? drawProgram(index, random) : peacefulProgram(index);
    programs.push(program);
    const url = `http://guest.test${pathOf(program)}`;
    if (bodyBytes === 0) return new Request(url);
    const body = world.body(bodyOf(index, 99, bodyBytes));
    return new Request(url, { method: "POST", body, duplex: "half" } as RequestInit);
  }

  function onAnswer(answer: Answer, world: Parameters<Facts["kv"]>[0]): void {
    const peaceful = answer.index >= requests;
    const isShutDown = shutdown !== undefined;
    const circumstances = { isolation, tight, subrequests, facts, reports, bodyBytes, peaceful, shutdown: isShutDown };
    check(programs[answer.index]!, answer, circumstances, world);
  }

  return simulate(module, {
    seed,
    isolation,
    limits,
    requests,
    pause,
    platform,
    request,
    resources: (world) => ({ CACHE: facts.kv(world), API: facts.origin(world) }),
    onAnswer,
    onReport: (report) => void reports.push(report),
    onEnd: () => {
      if (facts.wrong.length > 0) throw new Error(facts.wrong.join("; "));
    },
    ...(shutdown && { shutdown }),
    ...(onTrace && { onTrace }),
  });
}

function tightLimits(random: Random): Partial<Limits> {
  const drawn: Limits = {
    inFlight: random.between(2, 40),
    budget: random.between(1, 8),
    runs: random.between(1, 4),
    argumentBytes: random.between(500, 5000),
    resources: random.between(4, 30),
    bodyBytes: random.between(500, 30_000),
    connections: random.between(1, 6),
    waitMs: random.between(1, 30_000),
    redirects: 20,
    traps: random.between(1, 5),
    idleBytes: random.between(1, 4_000_000),
    memoryBytes: random.between(100_000, 2_000_000),
  };
  // Some of them: a host that is at all its limits at once does nothing.
  return Object.fromEntries(Object.entries(drawn).filter(() => random.chance(0.4)));
}
