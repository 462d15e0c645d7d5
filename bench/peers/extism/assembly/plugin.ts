// A plug-in whose host functions may wait: its thread is blocked meanwhile, and it knows nothing of it.

import { Host } from "@extism/as-pdk";

declare function nothing(): void;
declare function sleep(): void;

/** The plug-in development kit wants one. */
export function abort(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}

/** One operation after the other; the input says how many, the output how many there were. */
export function chain(): i32 {
  const count = U32.parseInt(Host.inputString());
  let completed: u32 = 0;
  for (; completed < count; completed++) nothing();
  Host.outputString(completed.toString());
  return 0;
}

export function latency(): i32 {
  const count = U32.parseInt(Host.inputString());
  let completed: u32 = 0;
  for (; completed < count; completed++) sleep();
  Host.outputString(completed.toString());
  return 0;
}
