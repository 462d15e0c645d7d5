// Terminal: what the commands that run for long have in common.

/** One line that is written over; nothing where nobody looks on. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** The value of an option. Throws what it takes if it is no whole number, or less than `least`. */
export function wholeNumber(name: string, text: string, least = 0): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < least)
    throw new Error(`--${name} takes a whole number${least > 0 ? ` from ${least}` : ""}, not ${text || "nothing"}`);
  return number;
}
