// Connections: at most so many requests of one context wait for their headers at once; more wait here, in order.
//
// The platform has the same limit (six) but counts in ways that a guest cannot see. Queueing here keeps the order fair
// and lets a cancelled operation leave the queue without ever having started.

import type { Operation } from "./operation.ts";

export class Connections {
  #open = 0;
  #waiting: { operation: Operation; start: () => void }[] = [];

  constructor(private readonly max: number) {}

  /** Runs `connect` when a connection is free, and counts it until its promise settles. */
  use<T>(operation: Operation, connect: () => Promise<T>): Promise<T> {
    if (this.#open < this.max) return this.#connect(connect);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operation, start: () => this.#connect(connect).then(resolve, reject) });
    });
  }

  #connect<T>(connect: () => Promise<T>): Promise<T> {
    this.#open++;
    const connection = connect();
    connection.then(this.#release, this.#release);
    return connection;
  }

  readonly #release = (): void => {
    this.#open--;
    let next = this.#waiting.shift();
    while (next?.operation.settled) next = this.#waiting.shift();
    next?.start();
  };
}
