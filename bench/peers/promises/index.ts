// Awaited promises in plain JavaScript: what everything else is compared with.

import type { Peer } from "../../peer.ts";

/** An operation that does nothing, as one writes it without thinking of its cost. */
async function nothing(): Promise<void> {
  await Promise.resolve();
}

export const peer: Peer = {
  async noop(count, batch) {
    if (batch === 1) for (let done = 0; done < count; done++) await nothing();
    else for (let done = 0; done < count; done += batch) await Promise.all(Array.from({ length: batch }, nothing));
  },
};
