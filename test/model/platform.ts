// Platform: knows on whose stack code runs, and can end a request without a word, as workerd does.
//
// Whoever imports the host imports this first: the host takes `Promise.withResolvers` when it is loaded.

import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../../src/deadlines.ts";

/** The request on whose stack code runs: handed on by promises and timers, and by nothing else. */
export const stack = new AsyncLocalStorage<{ readonly killed: boolean }>();

const { withResolvers } = Promise;

/** Reactions of a killed request never run, whoever resolves the promise. */
Promise.withResolvers = function <T>(this: PromiseConstructor): PromiseWithResolvers<T> {
  const made = withResolvers.call(this) as PromiseWithResolvers<T>;
  const { promise } = made;
  const react = promise.then.bind(promise);
  // oxlint-disable-next-line unicorn/no-thenable -- a promise is one.
  promise.then = (onResolved, onRejected) => {
    const owner = stack.getStore();
    if (!owner) return react(onResolved, onRejected);
    return react((value) => (owner.killed ? new Promise<never>(() => {}) : (onResolved ?? keep)(value)), onRejected);
  };
  return made;
};

const keep = <T>(value: T): never => value as never;

/** Lets the timers of a clock keep their request's stack, and be gone with it. */
export function keepStacks(clock: Clock): void {
  const setTimeout = clock.setTimeout.bind(clock);
  clock.setTimeout = (callback, ms) => {
    const owner = stack.getStore();
    return setTimeout(owner ? () => owner.killed || stack.run(owner, callback) : callback, ms);
  };
}
