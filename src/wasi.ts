// WASI: console, clock and random numbers, as AssemblyScript's wasi-shim asks for them.
//
// browser_wasi_shim does the work. What it would do by waiting, or where a platform may refuse, is answered here with
// an error number: clocks stand still in a deployed Worker, so a wait by the clock would never end.

import { ConsoleStdout, File, OpenFile, WASI, wasi } from "@bjorn3/browser_wasi_shim";

/** The imports of `wasi_snapshot_preview1`, or none if the module asks for none. */
export function wasiImports(
  module: WebAssembly.Module,
  instance: () => WebAssembly.Instance,
): Record<string, (...args: never[]) => unknown> {
  if (!WebAssembly.Module.imports(module).some((entry) => entry.module === "wasi_snapshot_preview1")) return {};
  const shim = new WASI([], [], [new OpenFile(new File([])), stream(console.log), stream(console.error)]);
  // The shim looks for the instance when the module calls it, and the module calls it while it is being made.
  Object.defineProperty(shim, "inst", { get: instance });
  return { ...shim.wasiImport, poll_oneoff: () => wasi.ERRNO_NOTSUP, random_get: randomGet(instance) } as never;
}

function stream(write: (line: string) => void): ConsoleStdout {
  return ConsoleStdout.lineBuffered((line) => write(line));
}

/** Platforms refuse randomness outside a request, and more than 65,536 bytes in one call. */
function randomGet(instance: () => WebAssembly.Instance) {
  return (at: number, length: number): number => {
    const { buffer } = instance().exports["memory"] as WebAssembly.Memory;
    if (length >>> 0 > buffer.byteLength || at >>> 0 > buffer.byteLength - (length >>> 0)) return wasi.ERRNO_FAULT;
    try {
      for (let done = 0; done < length >>> 0; done += 65_536) {
        crypto.getRandomValues(new Uint8Array(buffer, (at >>> 0) + done, Math.min(65_536, (length >>> 0) - done)));
      }
      return wasi.ERRNO_SUCCESS;
    } catch {
      return wasi.ERRNO_AGAIN;
    }
  };
}
