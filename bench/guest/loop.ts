// What a fiber is compared with: a loop that the engine suspends by itself, without a queue.

// asc looks for the function that takes the place of its own.
export { abort } from "../../assembly/abort";

declare function next(): void;

export function loop(count: u32): void {
  for (let i: u32 = 0; i < count; i++) next();
}
