import { expect, test } from "vitest";
import { Opcode, Status } from "../../assembly/abi.ts";
import { puppet, respond } from "../contract/puppet.ts";
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

test("report: of long texts the owner is told the first 1024 units, as text that is whole", async () => {
  const stage = await puppet();
  await stage.serve(function* (exchange, puppet) {
    const [name, data] = ["n".repeat(1025), `\ufeff${"\u{1f642}".repeat(1000)}`];
    puppet.submit({ opcode: Opcode.Report, name, data }, { opcode: Opcode.Report, name: "x".repeat(1024), data: "" });
    puppet.submit(respond(exchange));
    yield;
  });
  expect(stage.reports).toMatchObject([
    { operation: "n".repeat(1024), message: `\ufeff${"\u{1f642}".repeat(511)}\ufffd` },
    { operation: "x".repeat(1024), message: "" },
  ]);
});
