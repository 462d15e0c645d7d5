// Abort: what `throw`, `assert` and the runtime call when they cannot go on.
// asconfig.json puts it in the place of AssemblyScript's own (`--use abort=…`).
//
// The compiler may need this function before any file's globals exist, so its few words of state are static areas
// behind functions, and it touches nothing else: `run` cleans up when the host calls it again.

import { ABORT_TEXT_BYTES_MAX } from "./abi";
import { abort as reportAbort } from "./proactor_v1";

export function abort(message: string | null = null, file: string | null = null, line: u32 = 0, column: u32 = 0): void {
  // A static area: the abort may be the heap's own.
  const texts = memory.data(2048, 8);
  const fileAt = texts + ABORT_TEXT_BYTES_MAX;
  store<bool>(abortFlag(), true);
  reportAbort(texts, writeText(message, texts), fileAt, writeText(file, fileAt), line, column);
  unreachable();
}

/** Whether an abort ended the last turn; says so once. */
export function takeAborted(): bool {
  const aborted = load<bool>(abortFlag());
  store<bool>(abortFlag(), false);
  return aborted;
}

function abortFlag(): usize {
  return memory.data(8, 8);
}

/** Writes as much as fits at three bytes for each UTF-16 unit. */
function writeText(text: string | null, at: usize): u32 {
  if (!text) return 0;
  const length = min(text.length, <i32>(ABORT_TEXT_BYTES_MAX / 3));
  return <u32>String.UTF8.encodeUnsafe(changetype<usize>(text), length, at, false, String.UTF8.ErrorMode.REPLACE);
}
