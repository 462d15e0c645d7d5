// Requests: asks a handler in waves, a share of which it fails.

export const PAGE_BYTES = 1024;
/** Requests of a wave. */
export const AT_ONCE = 20;
const HUNDRED = 100;

/**
 * Throws unless the faulty ones, so many of each hundred, are answered with 500, and the others as they should be. Of these
 * so many may fail as well for each hundred faults.
 */
export async function ask(
  fetch: (request: Request) => Promise<Response>,
  count: number,
  faults: number,
  failingWithHundred = 0,
): Promise<void> {
  let failed = 0;
  const one = async (index: number): Promise<void> => {
    const isFaulty = index % HUNDRED < faults;
    const response = await fetch(new Request(`http://bench/${isFaulty ? "fault" : "page"}`));
    const { byteLength } = await response.arrayBuffer();
    if (response.status === 500) failed++;
    else if (isFaulty || byteLength !== PAGE_BYTES) throw new Error(`${response.status}, ${byteLength} bytes`);
  };
  for (let asked = 0; asked < count; asked += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => one(asked + index)));
  const faulty = (count / HUNDRED) * faults;
  const others = failed - faulty;
  if (others < 0 || others > Math.ceil(faulty / HUNDRED) * failingWithHundred)
    throw new Error(`${failed} requests have failed, and ${faulty} were to`);
}
