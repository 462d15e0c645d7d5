// CPU limit: the warning that the Workers runtime gives before it ends a request that computes too long.
//
// The runtime writes 24 to the word whose address a module exports under the first name below. A module that wants the
// warning re-exports both: `export { run, __instance_signal, __instance_terminated } from "wasm-proactor"`.

const NEAR_LIMIT: u32 = 24;

/** Address of the word that the runtime writes. */
export const __instance_signal: usize = memory.data(4, 4);
/** Address of the word by which a module says that it wants no more warnings; always 0 here. */
export const __instance_terminated: usize = memory.data(4, 4);

/** Whether the request is about to be ended. A handler that computes for long should look now and then, and answer. */
export function isNearCpuLimit(): bool {
  return load<u32>(__instance_signal) == NEAR_LIMIT;
}

/** Whether there was a warning; says so once, as the next request has a limit of its own. */
export function takeCpuWarning(): bool {
  if (!isNearCpuLimit()) return false;
  store<u32>(__instance_signal, 0);
  return true;
}
