/** A result that is another than it must be is no result. */
export function expectEqual(found: number, expected: number): void {
  if (found !== expected) throw new Error(`${found} operations ended as they should, not ${expected}`);
}
