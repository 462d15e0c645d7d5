// A Map from an operation's id to the closure that goes on with it, and an event for each end: how one talks to a worker,
// a socket or a device in plain JavaScript.

import type { Peer, Run } from "../../peer.ts";
import { heldReads } from "../../store.ts";
import { sleep } from "../operations.ts";

type Closure = (value?: ArrayBuffer) => void;

const pending = new Map<number, Closure>();
let nextId = 0;

function start(perform: (id: number) => void, closure: Closure): void {
  const id = nextId++;
  pending.set(id, closure);
  perform(id);
}

function onEvent(id: number, value?: ArrayBuffer): void {
  const closure = pending.get(id)!;
  pending.delete(id);
  closure(value);
}

// The other side, which ends each in a turn of its own.

const resolved = Promise.resolve();

/** workerd's queueMicrotask takes ten times as long. */
const nothing = (id: number): void => void resolved.then(() => onEvent(id));
const aMillisecond = (id: number): void => void sleep().then(() => onEvent(id));
const read = (id: number): void => void heldReads.get().then((value) => onEvent(id, value));

// This side.

/** Keeps so many operations in flight until all have completed. */
const pummel: Run = (count, inFlight) =>
  new Promise((resolve) => {
    let started = 0;
    let completed = 0;
    const next = (): void => {
      started++;
      start(nothing, () => {
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
        start(nothing, () => {
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
      start(aMillisecond, () => {
        completed++;
        next();
      });
    };
    next();
  });

const millionInFlight: Run = (count, size) =>
  new Promise((resolve, reject) => {
    let completed = 0;
    let right = 0;
    const round = (): void => {
      if (completed >= count) return right === count ? resolve() : reject(new Error(`${right} reads are right`));
      let waiting = size;
      heldReads.expect(size);
      for (let i = 0; i < size; i++) {
        start(read, (value) => {
          completed++;
          if (value?.byteLength === 8) right++;
          if (--waiting === 0) round();
        });
      }
    };
    round();
  });

export const peer: Peer = {
  noop,
  chain: (count) => pummel(count, 1),
  pummel,
  latency,
  "million-in-flight": millionInFlight,
};
