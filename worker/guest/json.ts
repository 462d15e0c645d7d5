// JSON: the little of it that this Worker writes.

const QUOTATION_MARK = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const DIGITS = "0123456789abcdef";

/** A text as a JSON string, quotation marks included. */
export function quote(text: string): string {
  const units: i32[] = [QUOTATION_MARK];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < FIRST_PRINTABLE) {
      pushText(units, `\\u00${unit >> 4}${DIGITS.charAt(unit & 15)}`);
      continue;
    }
    if (unit == QUOTATION_MARK || unit == BACKSLASH) units.push(BACKSLASH);
    units.push(unit);
  }
  units.push(QUOTATION_MARK);
  return String.fromCharCodes(units);
}

function pushText(units: i32[], text: string): void {
  for (let i = 0; i < text.length; i++) units.push(text.charCodeAt(i));
}
