// A platform may end a request without a word, also while a fiber of it lets others go first.

import { expect, test } from "vitest";
import { jspi } from "../../src/fiber.ts";
import { Proactor } from "../../src/index.ts";
import type { ErrorReport } from "../../src/index.ts";
import { RequestContext } from "../../src/request-context.ts";
import { Simulation } from "../../src/testing/index.ts";
import { moduleOf } from "../support/hosts.ts";

/** One whose timers are gone, and which runs and hears no more. */
class MortalContext extends RequestContext {
  #isKilled = false;

  kill(): void {
    this.#isKilled = true;
    this.deadlines.clear();
  }

  override turn(): void {
    if (!this.#isKilled) super.turn();
  }

  override call(): void {
    if (!this.#isKilled) super.call();
  }
}

class MortalProactor extends Proactor {
  last!: MortalContext;

  protected override newContext(...[instance, request]: Parameters<Proactor["newContext"]>): RequestContext {
    return (this.last = new MortalContext(this, instance, request));
  }
}

test("fiber: a place at a gate whose fiber the platform has ended is another's when its silence is noticed", async () => {
  const simulation = new Simulation();
  const reports: ErrorReport[] = [];
  const proactor = new MortalProactor(await moduleOf("fiber"), {
    isolation: "shared",
    instantiate: jspi(),
    clock: simulation.clock,
    limits: { runs: 10 },
    resources: { CACHE: simulation.kv() },
    onError: (report) => reports.push(report),
  });
  const get = (path: string): Promise<Response> => proactor.fetch(new Request(`http://localhost${path}`));
  void get("/spin?count=1000000&fibers&gate");
  for (let step = 0; step < 5; step++) await simulation.step();
  proactor.last.kill();
  expect(await (await simulation.run(get("/spin?count=1&gate"))).text()).toBe("spun");
  // Who waits at the gate asks for a sign of life each second.
  expect(simulation.clock.now()).toBeLessThan(3000);
  expect(reports).toMatchObject([{ kind: "killed" }]);
  await simulation.settle();
  expect(simulation.clock.size).toBe(0);
  expect(proactor.counters).toMatchObject({ contexts: 0, inFlight: 1, instances: 1, killed: 1 });
});
