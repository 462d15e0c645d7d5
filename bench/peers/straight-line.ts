// For guests that wait as if their imports were synchronous: each call of them has one operation in flight, so several
// at once are several calls.

/** Calls a guest that does so many operations one after the other and returns how many those were. */
type Chain = (count: number, lane: number) => Promise<number>;

/** Checks what calls have completed. */
export async function counted(count: number, calls: Promise<number>[]): Promise<void> {
  let completed = 0;
  for (const part of await Promise.all(calls)) completed += part;
  if (completed !== count) throw new Error(`${completed} operations have completed, not ${count}`);
}

/** Batches of calls. Operations one after the other need but one call. */
export async function inBatches(count: number, batch: number, chain: Chain): Promise<void> {
  if (batch === 1) return counted(count, [chain(count, 0)]);
  for (let done = 0; done < count; done += batch) {
    await counted(
      batch,
      Array.from({ length: batch }, (_, lane) => chain(1, lane)),
    );
  }
}

/** So many calls at all times, one for each operation. */
export function inFlight(count: number, lanes: number, chain: Chain): Promise<void> {
  let started = 0;
  const work = async (lane: number): Promise<number> => {
    let completed = 0;
    while (started++ < count) completed += await chain(1, lane);
    return completed;
  };
  return counted(
    count,
    Array.from({ length: lanes }, (_, lane) => work(lane)),
  );
}

/** How many operations each of so many calls has to do that are made only once. */
export function shares(count: number, lanes: number): number[] {
  return Array.from({ length: lanes }, (_, lane) => Math.floor((count + lane) / lanes));
}
