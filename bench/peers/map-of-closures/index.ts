// A Map from an operation's id to the closure that goes on with it, and an event for each end: how one talks to a worker,
// a socket or a device in plain JavaScript.

import type { Peer, Run } from "../../peer.ts";
import { sleep } from "../operations.ts";

type Closure = () => void;

const pending = new Map<number, Closure>();
let nextId = 0;

function start(closure: Closure): void {
  const id = nextId++;
  pending.set(id, closure);
  perform(id);
}

function onEvent(id: number): void {
  const closure = pending.get(id)!;
  pending.delete(id);
  closure();
}

const resolved = Promise.resolve();

/** The other side: it has nothing to do, and says so in a turn of its own. workerd's queueMicrotask takes ten times as long. */
function perform(id: number): void {
  void resolved.then(() => onEvent(id));
}

/** Keeps so many operations in flight until all have completed. */
const pummel: Run = (count, inFlight) =>
  new Promise((resolve) => {
    let started = 0;
    let completed = 0;
    const next = (): void => {
      started++;
      start(() => {
        if (++completed === count) resolve();
        else if (started < count) next();
      });
    };
    if (count === 0) resolve();
    while (started < Math.min(count, inFlight)) next();
  });

const noop: Run = (count, batch) =>
  new Promise((resolve) => {
    let completed = 0;
    const round = (): void => {
      if (completed >= count) return resolve();
      let waiting = batch;
      for (let i = 0; i < batch; i++) {
        start(() => {
          completed++;
          if (--waiting === 0) round();
        });
      }
    };
    round();
  });

const latency: Run = (count) =>
  new Promise((resolve) => {
    let completed = 0;
    const next = (): void => {
      if (completed === count) return resolve();
      const id = nextId++;
      pending.set(id, () => {
        completed++;
        next();
      });
      void sleep().then(() => onEvent(id));
    };
    next();
  });

export const peer: Peer = { noop, chain: (count) => pummel(count, 1), pummel, latency };
