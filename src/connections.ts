// Connections: at most so many requests of one context wait for their headers at once; more wait here, in order.
//
// The platform has the same limit (six) but counts in ways that a guest cannot see. Queueing here keeps the order fair
// and lets a cancelled operation leave the queue without ever having started.

import type { Operation } from "./operation.ts";

export class Connections {
  readonly #max: number;
  #open = 0;
  /** In the order of arrival. */
  readonly #waiting = new Set<() => void>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Runs `connect` when a connection is free, and counts it until its promise settles. */
  use<T>(operation: Operation, connect: () => Promise<T>): Promise<T> {
    return this.#open < this.#max ? this.#connect(connect) : this.#wait(operation, connect);
  }

  #wait<T>({ signal }: Operation, connect: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const start = (): void => void this.#connect(connect).then(resolve, reject);
      this.#waiting.add(start);
      // Otherwise a guest could fill the queue with what it has cancelled.
      signal.addEventListener("abort", () => this.#waiting.delete(start) && reject(signal.reason), { once: true });
    });
  }

  /** Asynchronous, so that a connection comes back even from a grant that throws. */
  async #connect<T>(connect: () => Promise<T>): Promise<T> {
    this.#open++;
    try {
      return await connect();
    } finally {
      this.#open--;
      this.#startNext();
    }
  }

  #startNext(): void {
    const [next] = this.#waiting;
    if (!next) return;
    this.#waiting.delete(next);
    next();
  }
}
