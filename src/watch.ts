// Watch: tells which handlers take long. For development: deployed Workers have clocks that stand still while code runs.
//
// It stands between an instance and its host, so neither knows of it: the guest gets one completion in each turn, and the
// turn is timed. Compiled with asc's `--target debug`, the module has the names of its functions.

import {
  COMPLETION_FLAGS,
  COMPLETION_TOKEN_GENERATION,
  COMPLETION_TOKEN_SLOT,
  HANDLER_SHIFT,
  Opcode,
  SUBMISSION_BYTES,
  SUBMISSION_OPCODE,
  SUBMISSION_TOKEN_SLOT,
} from "../assembly/abi.ts";
import { systemClock } from "./deadlines.ts";
import type { Clock } from "./deadlines.ts";
import { complete } from "./names.ts";
import { systemInstantiate } from "./options.ts";
import type { Instantiate } from "./options.ts";

export interface SlowHandler {
  /** Milliseconds that the turn took. */
  ms: number;
  /** The function's name; its number where the module has no names; undefined for a handler that is an object. */
  handler: string | undefined;
  /** The operation whose completion it handled: `KvGet`. */
  operation: string;
  token: { slot: number; generation: number };
}

export interface WatchOptions {
  /** Milliseconds above which a handler is slow; 50 if not given. */
  ms?: number;
  /** Told of each; by default it becomes a line of `console.warn`. */
  onSlow?: (slow: SlowHandler) => void;
  /** What measures; the platform's time if not given. */
  clock?: Pick<Clock, "now">;
  /** What makes instances; the platform if not given. */
  instantiate?: Instantiate;
}

type Submit = (at: number, count: number) => number;
type Poll = (at: number, capacity: number, arena: number, arenaBytes: number) => number;

const DEFAULTS: Required<WatchOptions> = {
  ms: 50,
  onSlow: warn,
  clock: systemClock,
  instantiate: systemInstantiate,
};

/** For the option `instantiate`: `createWorker(app, grants, { instantiate: watchHandlers({ ms: 20 }) })`. */
export function watchHandlers(options: WatchOptions = {}): Instantiate {
  const { ms, onSlow, clock, instantiate } = completeOptions(options);
  return (module, imports, owner) => {
    const names = functionNames(module);
    const opcodes = new Map<number, number>();
    let record = 0;
    let opcode = -1;
    const words = (): Uint32Array => new Uint32Array(memory.buffer);
    const { submit, poll, ...rest } = imports["proactor_v1"] as { submit: Submit; poll: Poll };
    const watched = {
      ...imports,
      proactor_v1: {
        ...rest,
        submit: (at: number, count: number): number => {
          const admitted = submit(at, count);
          for (let index = 0; index < admitted; index++) {
            const first = ((at >>> 0) + index * SUBMISSION_BYTES) >>> 2;
            const slot = words()[first + (SUBMISSION_TOKEN_SLOT >> 2)]!;
            opcodes.set(slot, words()[first + (SUBMISSION_OPCODE >> 2)]! & 0xffff);
          }
          return admitted;
        },
        poll: (at: number, capacity: number, arena: number, arenaBytes: number): number => {
          const count = poll(at, Math.min(capacity, 1), arena, arenaBytes);
          record = at >>> 2;
          // Looked up now: the handler's own submissions may get the same slot.
          opcode = opcodes.get(words()[record + (COMPLETION_TOKEN_SLOT >> 2)]!) ?? -1;
          return count;
        },
      },
    };
    const instance = instantiate(module, watched, owner);
    const { run, memory, table } = instance.exports as {
      run: (budget: number) => number;
      memory: WebAssembly.Memory;
      table?: WebAssembly.Table;
    };

    const tell = (taken: number): void => {
      const [slot, generation, flags] = [COMPLETION_TOKEN_SLOT, COMPLETION_TOKEN_GENERATION, COMPLETION_FLAGS].map(
        (field) => words()[record + (field >> 2)]!,
      ) as [number, number, number];
      const index = flags >>> HANDLER_SHIFT;
      const fn = index > 0 && functionAt(table, index);
      const handler = fn ? (names.get(Number(fn.name)) ?? `function ${fn.name}`) : undefined;
      const operation = Opcode[opcode] ?? "operation";
      try {
        onSlow({ ms: taken, handler, operation, token: { slot, generation } });
      } catch (error) {
        // Thrown out of the turn it would be taken for a trap of the guest.
        console.error("wasm-proactor: onSlow has thrown:", error);
      }
    };

    const timed = (budget: number): number => {
      const began = clock.now();
      try {
        return run(budget);
      } finally {
        const taken = clock.now() - began;
        if (taken > ms) tell(taken);
      }
    };
    return { exports: { ...instance.exports, run: timed } };
  };
}

/** Throws a TypeError that names what is wrong. */
function completeOptions(options: WatchOptions): Required<WatchOptions> {
  const completed = complete("options of watchHandlers", options, DEFAULTS);
  const { ms, onSlow, clock, instantiate } = completed;
  if (!(typeof ms === "number" && ms >= 0)) throw new TypeError(`ms: ${String(ms)} is no number of milliseconds`);
  if (typeof onSlow !== "function") throw new TypeError("onSlow: this is no function");
  if (typeof clock?.now !== "function") throw new TypeError("clock: it has no now()");
  if (typeof instantiate !== "function") throw new TypeError("instantiate: this is no function");
  return completed;
}

/** Undefined for an index that the guest has made up, and where what it exports as `table` is none of functions. */
function functionAt(table: WebAssembly.Table | undefined, index: number): (() => void) | undefined {
  try {
    const fn: unknown = table?.get(index);
    return typeof fn === "function" ? (fn as () => void) : undefined;
  } catch {
    return undefined;
  }
}

function warn({ ms, handler, operation, token }: SlowHandler): void {
  const name = handler ?? "a handler object";
  console.warn(`wasm-proactor: slow: ${name} took ${ms} ms, for ${operation} ${token.slot}:${token.generation}`);
}

/** The subsection of "name" that names functions. */
const FUNCTION_NAMES = 1;

/** The names in the module's custom section "name", by the numbers of their functions. */
function functionNames(module: WebAssembly.Module): Map<number, string> {
  const names = new Map<number, string>();
  const [section] = WebAssembly.Module.customSections(module, "name");
  if (!section) return names;
  const bytes = new Uint8Array(section);
  let at = 0;
  const unsigned = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      // A section may end in the midst of a number: engines do not look at it.
      if (!(byte >= 0x80)) return value;
    }
  };
  while (at < bytes.length) {
    const kind = bytes[at++];
    const end = unsigned() + at;
    if (kind === FUNCTION_NAMES) {
      for (let left = unsigned(); left > 0 && at < end; left--) {
        const index = unsigned();
        const length = unsigned();
        names.set(index, new TextDecoder().decode(bytes.subarray(at, at + length)));
        at += length;
      }
    }
    at = end;
  }
  return names;
}
