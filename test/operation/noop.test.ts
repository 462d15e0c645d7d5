import { expect, test } from "vitest";
import { Status } from "../../assembly/abi.ts";
import { onEachHost } from "../support/hosts.ts";

const runtimes = ["minimal", "stub"] as const;

onEachHost(
  "noop",
  (host) => {
    test("noop: completes with Ok and carries nothing", async () => {
      expect(await host.json("/one")).toEqual({ status: Status.Ok, payload: 0 });
    });

    test("noop: completes on a later turn, never inside submit", async () => {
      expect(await (await host.fetch("/later")).text()).toBe("submitted completed");
    });

    test("noop: more than one batch completes in order of submission", async () => {
      expect(await host.json("/many?n=1000")).toEqual({ completed: 1000, misplaced: 0 });
    });

    test("noop: is done before any deadline", async () => {
      expect(await host.json("/one?timeout=1")).toEqual({ status: Status.Ok, payload: 0 });
    });
  },
  { runtimes },
);
