import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { onEachHost } from "../support/hosts.ts";

onEachHost(
  "wait",
  (host) => {
    test("report: tells the owner what the guest says, and completes with Ok", async () => {
      expect(await (await host.fetch("/report")).text()).toBe(`${Status.Ok}`);
      expect(await host.takeReports()).toMatchObject([
        {
          kind: "unhandled",
          operation: "my.operation",
          status: Status.Network,
          message: "the line is dead",
          token: { slot: 7, generation: 2 },
        },
      ]);
    });
  },
  { runtimes: ["minimal", "stub"] },
);
