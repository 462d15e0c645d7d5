// Virtual clock: time that passes only when it is told to, so that a test waits for nothing and proves the rest.

import type { Clock } from "../deadlines.ts";

interface Timer {
  due: number;
  order: number;
  callback: () => void;
}

export class VirtualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now: number;
  #order = 0;

  /** `now` — milliseconds since 1970 at which time begins. */
  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Timers that are armed. */
  get size(): number {
    return this.#timers.size;
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const timer = { due: this.#now + Math.max(0, ms), order: this.#order++, callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  /** When the earliest timer is due; Infinity if none is armed. */
  get earliest(): number {
    return this.#next()?.due ?? Infinity;
  }

  /** Moves time to the earliest timer, of equals the first armed, and fires it. */
  fireNext(): void {
    const timer = this.#next();
    if (!timer) return;
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.due);
    timer.callback();
  }

  /** Moves time without firing anything; `fireNext` catches up. */
  moveTo(now: number): void {
    this.#now = Math.max(this.#now, now);
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (!next || timer.due < next.due || (timer.due === next.due && timer.order < next.order)) next = timer;
    }
    return next;
  }
}
