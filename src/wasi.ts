// WASI: console, clock and random numbers, as AssemblyScript's wasi-shim asks for them.
//
// browser_wasi_shim does the work. What it would do by waiting, or where a platform may refuse, is answered here with
// an error number: clocks stand still in a deployed Worker, so a wait by the clock would never end.

import { ConsoleStdout, File, OpenFile, WASI, wasi } from "@bjorn3/browser_wasi_shim";
import { systemClock } from "./deadlines.ts";
import type { Clock } from "./deadlines.ts";
import type { ProactorOptions } from "./options.ts";

/** What AssemblyScript's wasi-shim and the usual C libraries ask for. None of it reaches beyond the console. */
export const WASI_FUNCTIONS = new Set([
  "args_get",
  "args_sizes_get",
  "clock_res_get",
  "clock_time_get",
  "environ_get",
  "environ_sizes_get",
  "fd_close",
  "fd_fdstat_get",
  "fd_read",
  "fd_seek",
  "fd_write",
  "poll_oneoff",
  "proc_exit",
  "random_get",
]);

/** Fills in random bytes; called with at most 65,536 of them. Throws where there are none now. */
export type RandomSource = (bytes: Uint8Array<ArrayBuffer>) => void;

export const systemRandom: RandomSource = (bytes) => void crypto.getRandomValues(bytes);

/** Pieces of memory in one call of fd_read or fd_write. */
const PIECE_COUNT_MAX = 1024;

/** Characters; a longer line comes in parts of so many, as the guest might never end it. */
const LINE_LENGTH_MAX = 8192;

/** By the flag u no character is cut in two. */
const LINE_PART = new RegExp(`.{1,${LINE_LENGTH_MAX}}`, "gsu");

/** What is known of modules: to list one's imports takes as long as much of what an instance needs. */
const askers = new WeakMap<WebAssembly.Module, boolean>();

function asksForWasi(module: WebAssembly.Module): boolean {
  let asks = askers.get(module);
  if (asks === undefined) {
    asks = WebAssembly.Module.imports(module).some((entry) => entry.module === "wasi_snapshot_preview1");
    askers.set(module, asks);
  }
  return asks;
}

/** The imports of `wasi_snapshot_preview1`, or none if the module asks for none. */
export function wasiImports(
  module: WebAssembly.Module,
  instance: () => WebAssembly.Instance,
  { clock, random }: Pick<Required<ProactorOptions>, "clock" | "random">,
): Record<string, (...args: never[]) => unknown> {
  if (!asksForWasi(module)) return {};
  const input = new OpenFile(new File([], { readonly: true }));
  // Without the option it writes its own remarks between the guest's lines.
  const shim = new WASI([], [], [input, stream(console.log), stream(console.error)], { debug: false });
  // The shim looks for the instance when the module calls it, and the module calls it while it is being made.
  Object.defineProperty(shim, "inst", { get: instance });
  const functions: Record<string, (...args: never[]) => unknown> = {
    ...shim.wasiImport,
    ...(clock !== systemClock && { clock_time_get: clockTimeGet(instance, clock) }),
    fd_read: bounded(instance, shim.wasiImport["fd_read"]!),
    fd_write: bounded(instance, shim.wasiImport["fd_write"]!),
    poll_oneoff: () => wasi.ERRNO_NOTSUP,
    random_get: randomGet(instance, random),
  };
  return Object.fromEntries([...WASI_FUNCTIONS].map((name) => [name, unsigned(functions[name]!)]));
}

/** WebAssembly passes an i32 as a signed number: a pointer above 2 GiB would come as a negative one. */
function unsigned(call: (...args: never[]) => unknown) {
  return (...args: (number | bigint)[]): unknown =>
    call(...(args.map((arg) => (typeof arg === "number" ? arg >>> 0 : arg)) as never[]));
}

const bufferOf = (instance: WebAssembly.Instance): ArrayBuffer =>
  (instance.exports["memory"] as WebAssembly.Memory).buffer as ArrayBuffer;

/**
 * Refuses to read or write more pieces at once than any system does: the shim makes an object of each. And it would cut
 * one that reaches beyond memory, and call that a success.
 */
function bounded(instance: () => WebAssembly.Instance, call: (...args: number[]) => unknown) {
  return (fd: number, pieces: number, count: number, resultAt: number): unknown => {
    if (count > PIECE_COUNT_MAX) return wasi.ERRNO_INVAL;
    const view = new DataView(bufferOf(instance()));
    for (const { buf, buf_len } of wasi.Iovec.read_bytes_array(view, pieces, count)) {
      if (buf + buf_len > view.byteLength) throw new RangeError("a piece given to WASI reaches beyond memory");
    }
    return call(fd, pieces, count, resultAt);
  };
}

/** Writes by lines, as consoles do. */
function stream(write: (line: string) => void): ConsoleStdout {
  const decoder = new TextDecoder();
  let rest = "";
  return new ConsoleStdout((bytes) => {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    const parts = lines.flatMap((line) => line.match(LINE_PART) ?? [""]);
    rest = parts.pop()!;
    for (const part of parts) write(part);
  });
}

/** All clocks of WASI are the host's: where that one is virtual, the guest's time passes only when a test says so. */
function clockTimeGet(instance: () => WebAssembly.Instance, clock: Clock) {
  return (_id: number, _precision: bigint, at: number): number => {
    new DataView(bufferOf(instance())).setBigUint64(at, BigInt(Math.round(clock.now() * 1e6)), true);
    return wasi.ERRNO_SUCCESS;
  };
}

/** Platforms refuse randomness outside a request, and more than 65,536 bytes in one call. */
function randomGet(instance: () => WebAssembly.Instance, random: RandomSource) {
  return (at: number, length: number): number => {
    const buffer = bufferOf(instance());
    if (at + length > buffer.byteLength) return wasi.ERRNO_FAULT;
    try {
      for (let done = 0; done < length; done += 65_536) {
        random(new Uint8Array(buffer, at + done, Math.min(65_536, length - done)));
      }
      return wasi.ERRNO_SUCCESS;
    } catch {
      return wasi.ERRNO_AGAIN;
    }
  };
}
