// Connections: at most so many requests of one context wait for their headers at once; more wait here, in order.
//
// The platform has the same limit (six) but counts in ways that a guest cannot see. Queueing here keeps the order fair
// and lets a cancelled operation leave the queue without ever having started.

import type { Operation } from "./operation.ts";

export class Connections {
  #free: number;
  /** In the order of arrival. */
  readonly #waiting = new Set<() => void>();

  constructor(max: number) {
    this.#free = max;
  }

  /** Runs `connect` when a connection is free, and keeps that until its promise settles. */
  async use<T>(operation: Operation, connect: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await this.#turn(operation.signal);
    try {
      return await connect();
    } finally {
      this.#handOn();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(resolve);
      // Otherwise a guest could fill the queue with what it has cancelled.
      signal.addEventListener("abort", () => this.#waiting.delete(resolve) && reject(signal.reason), { once: true });
    });
  }

  /** To whoever waits first: were it free for a moment, a newcomer could overtake. */
  #handOn(): void {
    const [next] = this.#waiting;
    if (!next) return void this.#free++;
    this.#waiting.delete(next);
    next();
  }
}
