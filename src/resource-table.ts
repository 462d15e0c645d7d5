// Resource table: the resources of one context, by number.
//
// Most requests have one, their exchange, so the first has a place of its own and a map is made for the second.

import type { Resource } from "./resource.ts";

export class ResourceTable {
  #firstNumber = 0;
  #first: Resource | undefined;
  #others: Map<number, Resource> | undefined;

  get(number: number): Resource | undefined {
    return number === this.#firstNumber ? this.#first : this.#others?.get(number);
  }

  add(number: number, resource: Resource): void {
    if (this.#first) {
      (this.#others ??= new Map()).set(number, resource);
    } else {
      this.#firstNumber = number;
      this.#first = resource;
    }
  }

  remove(number: number): void {
    if (number === this.#firstNumber) this.#first = undefined;
    else this.#others?.delete(number);
  }

  all(): Resource[] {
    const others = this.#others ? [...this.#others.values()] : [];
    return this.#first ? [this.#first, ...others] : others;
  }

  clear(): void {
    this.#first = this.#others = undefined;
  }
}
