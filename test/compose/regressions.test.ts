// Scripts that once went wrong, as they were shrunk.

import { expect, test } from "vitest";
import { compare } from "./compare.ts";
import type { Op, Shared, Step } from "./script.ts";
import { Stage } from "./stage.ts";

const NOTHING: Shared = { gates: [], channels: [] };

const fetch = (key: number, ms: number): Op => ({ op: "fetch", key, answers: [{ ms, status: 200 }] });
const submit = (number: number, operation: Op, next: Step[] = []): Step => ({ do: "submit", number, operation, next });

const send = (value: number): Op => ({ op: "send", channel: 0, value });

async function agree(shared: Shared, steps: Step[]): Promise<void> {
  expect(await compare(shared, steps), "nobody promises what comes of it").toBe(true);
}

test("retry: waits that shrink do so although the first is at the cap", async () => {
  const of: Op = { op: "get", key: 1, answers: [{ ms: 1, status: 0 }] };
  const policy = { attempts: 3, base: 100_000, factor: 0, cap: 100_000, attempt: 0, badStatus: false };
  await agree(NOTHING, [submit(0, { op: "retry", policy, of })]);
});

test("share: a list with a body in it is not shared", async () => {
  const of: Op = { op: "gather", of: [{ op: "settled", of: [fetch(1, 1)] }] };
  const share: Op = { op: "share", key: 0, of };
  await agree(NOTHING, [submit(0, share), submit(1, share), submit(2, share)]);
});

test("gather: what was kept is given back when the deadline passes, or it is cancelled", async () => {
  for (const op of ["gather", "settled", "sequence"] as const) {
    const of = [fetch(1, 1), fetch(2, 300_001)];
    await agree(NOTHING, [submit(0, { op, of, deadline: 100_000 })]);
    await agree(NOTHING, [
      submit(0, { op, of }),
      submit(1, { op: "timer", ms: 100_000 }, [{ do: "cancel", number: 0 }]),
    ]);
  }
});

const channel: Shared = { gates: [], channels: [0] };
const receive: Op = { op: "receive", channel: 0 };

test("channel: a value is not given to a receiver that was cancelled, or a later one would overtake it", async () => {
  const steps: Step[] = [
    submit(0, receive),
    submit(1, receive),
    submit(2, receive),
    { do: "cancel", number: 0 },
    submit(3, send(1)),
    submit(4, send(2)),
  ];
  await agree(channel, steps);
  const stage = await Stage.on();
  stage.send(channel, steps);
  await stage.settle();
  const received = stage.entries.filter(({ number }) => number === 1 || number === 2);
  expect(received.map(({ number, results }) => [number, results[2]])).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

test("channel: what was to be sent is not received once its send was cancelled or has timed out", async () => {
  const late: Op = { op: "send", channel: 0, value: 1, deadline: 5 };
  for (const steps of [
    [submit(0, send(1)), { do: "cancel", number: 0 }, submit(1, send(2)), submit(2, receive)],
    [submit(0, late), submit(1, send(2)), submit(3, { op: "timer", ms: 5 }, [submit(2, receive)])],
  ] satisfies Step[][]) {
    await agree(channel, steps);
    const stage = await Stage.on();
    stage.send(channel, steps);
    await stage.settle();
    const outcomes = new Map(stage.entries.map(({ number, results }) => [number, results]));
    expect(outcomes.get(0)![0]).toBeLessThan(0);
    expect(outcomes.get(2)!.slice(0, 3)).toEqual([0, 0, 2]);
  }
});

test("channel: values that receivers give back come in the order in which they were sent", async () => {
  const steps: Step[] = [
    submit(0, receive),
    submit(1, receive),
    submit(2, { op: "timer", ms: 5 }, [
      submit(3, send(1)),
      submit(4, send(2)),
      { do: "cancel", number: 0 },
      { do: "cancel", number: 1 },
    ]),
    submit(5, { op: "timer", ms: 20 }, [submit(6, receive), submit(7, receive)]),
  ];
  await agree(channel, steps);
  const stage = await Stage.on();
  stage.send(channel, steps);
  await stage.settle();
  const received = stage.entries.filter(({ number }) => number >= 6);
  expect(received.map(({ number, results }) => [number, results[2]])).toEqual([
    [6, 1],
    [7, 2],
  ]);
});
