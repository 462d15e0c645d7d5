// What the foreign peers' hosts do: the same in each, so that what differs is the way to it.

/** Nothing, asynchronously, as `promises` does it. */
export async function nothing(): Promise<void> {
  await Promise.resolve();
}

/** Something that takes a millisecond. */
export function sleep(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
