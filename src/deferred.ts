// Deferred: a promise that somebody else resolves, on another context's stack even.

export interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/**
 * workerd runs a promise's reactions on the stack of the request that made it, whoever resolves it. For that it marks
 * promises at birth, but code that is hot enough for the optimizing compiler calls `new Promise` without the mark, and
 * then they run on the wrong stack. It does not optimize this function. Node 20 lacks it, and has no such stacks.
 */
const { withResolvers } = Promise as unknown as { withResolvers?(this: typeof Promise): Deferred };

export function deferred(): Deferred {
  return withResolvers ? withResolvers.call(Promise) : deferredOfNode20();
}

function deferredOfNode20(): Deferred {
  let resolve!: () => void;
  const promise = new Promise<void>((resolveIt) => {
    resolve = resolveIt;
  });
  return { promise, resolve };
}
