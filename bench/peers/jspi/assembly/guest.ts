// Waits as if its imports were synchronous: the engine suspends its stack, and it knows nothing of it.

declare function nothing(): void;
declare function sleep(): void;
/** Returns how many bytes of `result` it has filled. */
declare function read(): u32;

export const result = memory.data(1024);

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

/** Returns how many have found what they must. */
export function reads(count: u32): u32 {
  let right: u32 = 0;
  for (let i: u32 = 0; i < count; i++) if (read() == 8) right++;
  return right;
}
