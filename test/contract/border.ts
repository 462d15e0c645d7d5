// Border guard: stands between a guest and the host and writes down every call. Whatever a test is about, the guard
// sees to it that the host keeps rules 1 and 2 of the contract: no import calls an export, and the host writes to the
// guest's memory nowhere but inside `poll`, in the ranges which that call named.

import { afterEach, expect } from "vitest";
import { COMPLETION_BYTES } from "../../assembly/abi.ts";

/** One call of an import. `turn` counts the calls of `run` of all instances; 0 while the first one starts. */
export interface Call {
  readonly name: string;
  readonly args: readonly number[];
  readonly turn: number;
  /** Undefined where the import did not return. */
  result?: number;
}

type Imports = Record<string, Record<string, (...args: number[]) => number>>;

export interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  run(budget: number): number;
}

export interface BorderOptions {
  /** False leaves out the comparison of memory around each call, which a million calls would feel. */
  memory?: boolean;
  /** Puts a test's own functions in the place of some exports. */
  exports?: (exports: Exports, border: Border) => Partial<Exports>;
  /** Puts itself in the place of some imports. */
  imports?: (imports: Imports) => Imports;
}

export class Border {
  readonly calls: Call[] = [];
  /** Calls of `run`. */
  turns = 0;
  instances = 0;
  /** The last instance's. */
  memory: WebAssembly.Memory | undefined;
  /** Rules that the host broke, as sentences. */
  readonly violations: string[] = [];

  /** The calls of one import. */
  of(name: string): Call[] {
    return this.calls.filter((call) => call.name === name);
  }
}

const borders = new Map<WebAssembly.Module, { border: Border; options: BorderOptions }>();

/** Guards all instances of a module that will be made. */
export function guard(module: WebAssembly.Module, options: BorderOptions = {}): Border {
  const border = new Border();
  borders.set(module, { border, options });
  return border;
}

afterEach(() => {
  const violations = [...borders.values()].flatMap(({ border }) => border.violations);
  borders.clear();
  expect(violations).toEqual([]);
});

type Range = readonly [start: number, end: number];

/** Guards one instance. */
class Guard {
  /** The import that is being called. */
  #inside: string | undefined;
  #running = 0;
  /** The memory as the guest left it. */
  #left: Uint8Array | undefined;
  memory: WebAssembly.Memory | undefined;

  constructor(
    private readonly border: Border,
    private readonly comparing: boolean,
  ) {
    border.instances++;
  }

  import(name: string, call: (...args: number[]) => number): (...args: number[]) => number {
    return (...args) => {
      const entry: Call = { name, args, turn: this.border.turns };
      this.border.calls.push(entry);
      if (this.#inside) this.border.violations.push(`rule 1: ${name} was called inside ${this.#inside}`);
      const before = this.#copy();
      this.#inside = name;
      try {
        entry.result = call(...args);
        return entry.result;
      } finally {
        this.#inside = undefined;
        this.#compare(before, writable(entry), `${name}(${args.join(", ")})`);
      }
    };
  }

  export<T extends (...args: never[]) => unknown>(name: string, call: T): T {
    return ((...args) => {
      if (name === "run") this.border.turns++;
      if (this.#inside) this.border.violations.push(`rule 1: ${this.#inside} called ${name}`);
      if (this.#running > 0) this.border.violations.push(`rule 1: ${name} was called inside another call`);
      if (this.#left) this.#compare(this.#left, [], `what came before this call of ${name}`);
      this.#running++;
      try {
        return call(...args);
      } finally {
        this.#running--;
        this.#left = this.#copy();
      }
    }) as T;
  }

  #copy(): Uint8Array | undefined {
    return this.comparing && this.memory ? new Uint8Array(this.memory.buffer.slice(0)) : undefined;
  }

  /** Finds what was written outside the ranges. */
  #compare(before: Uint8Array | undefined, ranges: readonly Range[], what: string): void {
    if (!before || !this.memory) return;
    const after = new Uint8Array(this.memory.buffer);
    let at = 0;
    for (const [start, end] of [...ranges, [before.length, before.length] as const].toSorted((a, b) => a[0] - b[0])) {
      if (start > at && Buffer.compare(before.subarray(at, start), after.subarray(at, start)) !== 0) {
        this.border.violations.push(`rule 2: ${what} wrote between ${at} and ${start}`);
      }
      at = Math.max(at, end);
    }
  }
}

/** The ranges in which a call may write. */
function writable({ name, args, result }: Call): Range[] {
  if (name !== "poll" || result === undefined) return [];
  const [at = 0, , arena = 0, arenaBytes = 0] = args.map((arg) => arg >>> 0);
  // A payload that is too big is told in the first record.
  const records = result < 0 ? 1 : result;
  return [
    [at, at + records * COMPLETION_BYTES],
    [arena, arena + arenaBytes],
  ];
}

const RealInstance = WebAssembly.Instance;

WebAssembly.Instance = new Proxy(RealInstance, {
  construct(_, [module, imports]: [WebAssembly.Module, Imports]) {
    const guarded = borders.get(module);
    if (!guarded) return new RealInstance(module, imports as WebAssembly.Imports);
    const { border, options } = guarded;
    const keeper = new Guard(border, options.memory ?? true);
    const given = options.imports?.(imports) ?? imports;
    const wrapped = Object.fromEntries(
      Object.entries(given).map(([from, functions]) => [
        from,
        Object.fromEntries(
          Object.entries(functions).map(([name, call]) => [
            name,
            from === "proactor_v1" ? keeper.import(name, call) : call,
          ]),
        ),
      ]),
    );
    const instance = new RealInstance(module, wrapped);
    const real = instance.exports as unknown as Exports;
    keeper.memory = border.memory = real.memory;
    const { memory, _initialize, run } = { ...real, ...options.exports?.(real, border) };
    return {
      exports: { memory, _initialize: keeper.export("_initialize", _initialize), run: keeper.export("run", run) },
    };
  },
});
