// Waits as if its imports were synchronous: the engine suspends its stack, and it knows nothing of it.

declare function nothing(): void;
declare function sleep(): void;

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
