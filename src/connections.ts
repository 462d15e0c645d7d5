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

  /** Takes a connection: at once if one is free, else when the promise resolves. It rejects if `operation` is aborted. */
  take(operation: Operation): Promise<void> | undefined {
    if (this.#free > 0) return void this.#free--;
    const { signal } = operation;
    return new Promise((resolve, reject) => {
      this.#waiting.add(resolve);
      // Otherwise a guest could fill the queue with what it has cancelled.
      signal.addEventListener("abort", () => this.#waiting.delete(resolve) && reject(signal.reason), { once: true });
    });
  }

  /** Hands a connection on to whoever waits first: were it free for a moment, a newcomer could overtake. */
  handOn(): void {
    if (this.#waiting.size === 0) return void this.#free++;
    const [next] = this.#waiting;
    this.#waiting.delete(next!);
    next!();
  }
}
