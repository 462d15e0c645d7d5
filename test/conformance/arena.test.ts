// Arena: where payloads lie, and what happens to those that are larger than it is.

import { expect, test } from "vitest";
import { ARENA_BYTES_MAX, Status } from "../../assembly/abi.ts";
import { onEachHost, onSimulatedHost } from "../support/hosts.ts";
import type { HostOptions, TestHost } from "../support/hosts.ts";

const PAGE_BYTES = 65_536;

const LARGE = ARENA_BYTES_MAX * 8;

/** Only the arena's own limit keeps a value out of the guest, and one instance serves a whole case. */
const options: HostOptions = {
  limits: { bodyBytes: LARGE, memoryBytes: LARGE, idleBytes: LARGE },
  runtimes: ["minimal"],
};

let cases = 0;

const behaviour = (host: TestHost): void => {
  test("arena: grows once for a payload that is larger, and not again for the next", async () => {
    const key = `arena/${++cases}`;
    await host.json(`/put?key=${key}&size=1000000`);
    const { pages: before } = await host.json("/pages");
    const first = await host.json(`/get?key=${key}`);
    expect(first).toMatchObject({ status: Status.Ok, bytes: 1_000_000 });
    expect((first.pages - before) * PAGE_BYTES).toBeLessThanOrEqual(4 * 1_000_000);
    expect(await host.json(`/get?key=${key}`)).toEqual(first);
  });

  test("arena: many payloads of one turn do not touch each other, and are aligned", async () => {
    const prefix = `arena/${++cases}/`;
    for (let i = 0; i < 12; i++) await host.json(`/put?key=${prefix}${i}&byte=${i}&size=${1500 * i + 1}`);
    expect(await host.json(`/get-many?prefix=${prefix}&n=12`)).toEqual({ wrong: 0, unaligned: 0 });
  });

  test("arena: what a handler copied stays when the next payload comes", async () => {
    const prefix = `arena/${++cases}/`;
    await host.json(`/put?key=${prefix}0&byte=65&size=5000`);
    await host.json(`/put?key=${prefix}1&byte=66&size=5000`);
    expect(await host.json(`/keep?prefix=${prefix}`)).toEqual({ first: 65, last: 65, text: 65 });
  });

  test("arena: a payload over its limit is TooBig, and the same body can be streamed", async () => {
    const url = `/bytes/${ARENA_BYTES_MAX}`;
    const refused = { status: Status.TooBig, resource: 0, bytes: 0 };
    expect(await host.json(`/read?url=${url}`)).toMatchObject(refused);
    expect(await host.json(`/fetch?url=${url}&with-body`)).toMatchObject(refused);
    const response = await host.fetch(`/fetch?url=${url}`);
    expect((await response.arrayBuffer()).byteLength).toBe(ARENA_BYTES_MAX);
  });

  test("arguments: more than their region holds go out on one turn, and leave no trace", async () => {
    const first = await host.json("/arguments?n=300");
    expect(first.failed).toBe(0);
    expect(await host.json("/arguments?n=300")).toEqual(first);
  });
};

onEachHost("arena", behaviour, options);

// The stub runtime takes nothing back but what was given out last.
onSimulatedHost(
  "arena",
  (host) => {
    test("arena: payloads that grow step by step leave no more behind than a few of the largest", async () => {
      for (let size = 20_000; size <= 2_000_000; size += 70_000) await host.json(`/fetch?url=/bytes/${size}&with-body`);
      expect((await host.json("/pages")).used).toBeLessThan(5 * 2_000_000);
    });
  },
  { ...options, runtimes: ["minimal", "stub"] },
);

onSimulatedHost("arena", (host) => {
  test("arena: an instance whose memory grew over the limit is replaced when it is idle", async () => {
    await host.json("/put?key=a&size=20000000");
    expect(host.proactor.counters).toMatchObject({ instances: 0, instantiated: 1 });
    expect((await host.json("/pages")).pages * PAGE_BYTES).toBeLessThan(1_000_000);
    expect(host.proactor.counters).toMatchObject({ instances: 1, instantiated: 2 });
  });
});
