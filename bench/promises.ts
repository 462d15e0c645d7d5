// What a noop is compared with: a call of an async function that awaits nothing, awaited.

/** Keeps `batch` such calls in flight until `count` have ended. */
export async function awaitPromises(count: number, batch: number): Promise<void> {
  if (batch === 1) {
    for (let done = 0; done < count; done++) await nothing();
    return;
  }
  for (let done = 0; done < count; done += batch) await Promise.all(Array.from({ length: batch }, nothing));
}

async function nothing(): Promise<void> {
  await Promise.resolve();
}
