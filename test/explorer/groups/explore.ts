// Explore: tries every step from every state of a plan, breadth first, to the end.
//
// A plan comes to its end by itself: every group starts once. So what is found holds for every script, however long.

import { createHash } from "node:crypto";
import { Checks, GROUP_PROMISES, Violation } from "../promises.ts";
import type { GroupPromised } from "../promises.ts";
import type { Variant } from "../variant.ts";
import { OPEN, textOf } from "./state.ts";
import type { Plan } from "./state.ts";
import { World } from "./world.ts";
import type { Saved, Step } from "./world.ts";

export interface GroupReport {
  readonly name: string;
  readonly states: number;
  readonly transitions: number;
  /** Steps of the longest way. */
  readonly depth: number;
  /** States in which nothing was left to happen. */
  readonly ends: number;
  /** Every state there is was found. */
  readonly complete: boolean;
  readonly checks: Readonly<Record<GroupPromised, number>>;
  readonly violation: { readonly message: string; readonly script: readonly string[] } | undefined;
}

/** How a state was reached. */
interface Way {
  readonly before: Way | undefined;
  readonly step: Step;
  readonly trapAt: number;
}

interface Found {
  readonly saved: Saved;
  readonly way: Way | undefined;
}

/** `most`: distinct states after which none is expanded any more. */
export function exploreGroups(variant: Variant, plan: Plan, most = Infinity): GroupReport {
  const checks = new Checks<GroupPromised>(GROUP_PROMISES);
  const world = new World(variant, plan, checks);
  const seen = new Set<string>();
  const begin: Found = { saved: world.save(), way: undefined };
  let frontier = [begin];
  let [transitions, depth, ends, states] = [0, -1, 0, 1];
  const broken: { violation: GroupReport["violation"] } = { violation: undefined };

  /** Returns how many handlers began, for each of which the same step is taken again, and it throws. */
  const take = ({ saved, way }: Found, step: Step, trapAt: number, next: Found[]): number => {
    world.restore(saved);
    transitions++;
    const here = { before: way, step, trapAt };
    try {
      const entered = world.take(step, trapAt);
      if (!isNew(world, seen)) return entered;
      states++;
      if (world.steps().length === 0) {
        ends++;
        world.checkEnd();
      } else {
        next.push({ saved: world.save(), way: here });
      }
      return entered;
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      broken.violation = { message: error.message, script: tell(world, begin.saved, here) };
      return 0;
    }
  };

  for (; frontier.length > 0 && !broken.violation; depth++) {
    const next: Found[] = [];
    for (const found of frontier) {
      if (states >= most) break;
      world.restore(found.saved);
      const mayTrap = world.state.faults > 0;
      for (const step of world.steps()) {
        const entered = take(found, step, OPEN, next);
        const traps = step.do === "turn" && mayTrap ? entered : 0;
        for (let trapAt = 0; trapAt < traps && !broken.violation; trapAt++) take(found, step, trapAt, next);
        if (broken.violation) break;
      }
      if (broken.violation) break;
    }
    frontier = next;
  }
  const { violation } = broken;
  return {
    name: plan.name,
    states,
    transitions,
    depth,
    ends,
    complete: states < most && !violation,
    checks: checks.counts,
    violation,
  };
}

/** After a trap the guest is in the middle of something, and a state like no other. */
function isNew(world: World, seen: Set<string>): boolean {
  if (world.state.trapped) return true;
  const graph = world.machine.graph();
  const key = createHash("sha256").update(textOf(world.state)).update(new Uint8Array(graph.buffer)).digest("base64");
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

/** The script, step by step, as it happens once more. */
function tell(world: World, begin: Saved, way: Way): string[] {
  const script: string[] = [];
  const ways: Way[] = [];
  for (let at: Way | undefined = way; at; at = at.before) ways.unshift(at);
  world.restore(begin);
  world.log = (line) => void script.push(line);
  try {
    for (const { step, trapAt } of ways) {
      world.state = JSON.parse(textOf(world.state)) as World["state"];
      world.take(step, trapAt);
    }
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
  }
  world.log = undefined;
  return script;
}
