// Resource: a capability that the host granted by name, seen from the guest as a number.

import { unitsAt } from "./address";
import { takeArguments } from "./arena";
import { open } from "./proactor_v1";
import { encodeUtf8 } from "./utf8";

/** The number of the resource granted as `name`, or 0, which no resource has. */
export function openResource(name: string): u32 {
  const text = changetype<usize>(name);
  const units = unitsAt(text);
  const encoded = takeArguments(units * 3);
  return max(0, open(encoded, encodeUtf8(text, units, encoded)));
}
