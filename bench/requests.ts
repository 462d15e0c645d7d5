// Requests: asks a handler in waves, a share of which it fails.

const AT_ONCE = 20;
/** What a share is of. */
export const HUNDRED = 100;

/** Throws unless exactly the faulty ones are answered with 500, and the others as they should be. */
export async function ask(
  fetch: (request: Request) => Promise<Response>,
  count: number,
  faultsPerHundred: number,
): Promise<void> {
  for (let asked = 0; asked < count; asked += AT_ONCE) {
    const wave = Array.from({ length: Math.min(AT_ONCE, count - asked) }, async (_, index) => {
      const isFaulty = (asked + index) % HUNDRED < faultsPerHundred;
      const response = await fetch(new Request(`http://bench/${isFaulty ? "fault" : "page"}`));
      const { byteLength } = await response.arrayBuffer();
      if (response.status !== (isFaulty ? 500 : 200)) throw new Error(`an answer with ${response.status}`);
      if (!isFaulty && byteLength !== PAGE_BYTES) throw new Error(`an answer of ${byteLength} bytes`);
    });
    await Promise.all(wave);
  }
}

export const PAGE_BYTES = 1024;
