// Resource: a capability that the host granted by name, seen from the guest as a number.

import { resetArguments, takeArguments, writeText } from "./arena";
import { open } from "./proactor_v1";
import { flush } from "./submission-queue";

/** The number of the resource granted as `name`, or 0, which no resource has. */
export function openResource(name: string): u32 {
  // Handlers may open resources too, and what they submitted before still needs its arguments.
  flush();
  const encoded = takeArguments(<usize>name.length * 3);
  const resource = open(encoded, <u32>writeText(name, encoded));
  resetArguments();
  return resource > 0 ? <u32>resource : 0;
}
