// Abort: what `throw`, `assert` and the runtime call when they cannot go on.
// The asconfig files put it in the place of AssemblyScript's own: ours by its name here, assembly/asconfig.json by the
// name that it has in a project that installed this package.
//
// The compiler may need this function before any file's globals exist, so its few words of state are static areas
// behind functions, and it touches nothing else: `run` cleans up when the host calls it again.

import { ABORT_TEXT_BYTES_MAX } from "./abi";
import { unitsAt } from "./address";
import { abort as reportAbort } from "./proactor_v1";
import { encodeUtf8 } from "./utf8";

export function abort(message: string | null = null, file: string | null = null, line: u32 = 0, column: u32 = 0): void {
  // A static area: the abort may be the heap's own.
  const texts = memory.data(2048, 8);
  const fileAt = texts + ABORT_TEXT_BYTES_MAX;
  store<bool>(abortFlag(), true);
  reportAbort(
    texts,
    writeText(changetype<usize>(message), texts),
    fileAt,
    writeText(changetype<usize>(file), fileAt),
    line,
    column,
  );
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
function writeText(text: usize, at: usize): u32 {
  return text ? encodeUtf8(text, min(unitsAt(text), ABORT_TEXT_BYTES_MAX / 3), at) : 0;
}
