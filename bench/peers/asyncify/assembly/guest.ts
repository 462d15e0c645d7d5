// Waits as if its imports were synchronous: Asyncify has rewritten every function so that it can be left and come back to.

declare function nothing(): void;
declare function sleep(): void;

/** Where Asyncify keeps the stack while it is left: two pointers, and room. */
export const area = memory.data(1024, 8);

/** One operation after the other. */
export function chain(count: u32): u32 {
  let completed: u32 = 0;
  for (; completed < count; completed++) nothing();
  return completed;
}

export function latency(count: u32): u32 {
  let completed: u32 = 0;
  for (; completed < count; completed++) sleep();
  return completed;
}
