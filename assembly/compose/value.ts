// Value: the result of an operation that ends in an object or a number of the guest's own.

import { Completion } from "../completion-queue";
import { Anything } from "../operation";

/** A number, on its way. */
class Box<T> {
  constructor(public value: T) {}
}

/** What a `map`, a task or a channel came to. */
@unmanaged
export class Value<T> extends Completion {
  /** The value. Ask whether it `failed` before. */
  get value(): T {
    assert(!this.failed, "a failed operation has no value: look at `failed` first");
    if (isManaged<T>()) return changetype<T>(this.payload);
    return changetype<Box<T>>(this.payload).value;
  }
}

/** A value as an object that the collector knows. */
export function boxed<T>(value: T): Anything | null {
  if (isManaged<T>()) return changetype<Anything | null>(changetype<usize>(value));
  return changetype<Anything>(new Box<T>(value));
}
