// Fifo: first in, first out. What waits links to what waits behind it, so that queueing allocates nothing and cannot fail.

/** Waits in one queue at a time. */
export interface Linked {
  next?: this | undefined;
}

export class Fifo<T extends Linked> {
  length = 0;
  #first: T | undefined;
  #last: T | undefined;

  /** What is next. */
  peek(): T | undefined {
    return this.#first;
  }

  /** What came last. */
  get last(): T | undefined {
    return this.#last;
  }

  push(item: T): void {
    if (this.#last) this.#last.next = item;
    else this.#first = item;
    this.#last = item;
    this.length++;
  }

  shift(): T | undefined {
    const item = this.#first;
    if (!item) return undefined;
    this.#first = item.next;
    item.next = undefined;
    if (!this.#first) this.#last = undefined;
    this.length--;
    return item;
  }

  clear(): void {
    this.#first = undefined;
    this.#last = undefined;
    this.length = 0;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let item = this.#first; item; item = item.next) yield item;
  }
}
