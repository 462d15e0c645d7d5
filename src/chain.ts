// Chain: what is in flight, in order; anything can leave it at once. The links are in what it holds, so that it allocates
// nothing and cannot fail.

export interface Chained {
  before?: this | undefined;
  after?: this | undefined;
}

export class Chain<T extends Chained> {
  /** The one that has been there longest. */
  first: T | undefined;
  #last: T | undefined;

  add(item: T): void {
    item.before = this.#last;
    if (this.#last) this.#last.after = item;
    else this.first = item;
    this.#last = item;
  }

  /** Takes an item out, if it is there. */
  remove(item: T): void {
    const { before, after } = item;
    if (before) before.after = after;
    else if (this.first === item) this.first = after;
    else return;
    if (after) after.before = before;
    else this.#last = before;
    item.before = item.after = undefined;
  }

  clear(): void {
    this.first = this.#last = undefined;
  }

  /** All that are there now: while somebody looks at one, others may leave. */
  items(): T[] {
    const items: T[] = [];
    for (let item = this.first; item; item = item.after) items.push(item);
    return items;
  }
}
