// Rule 15: all nondeterminism enters through `poll`, `open` and the WASI functions, and leaves through `submit`. So who
// records these calls can replay a run to the byte, without any host.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SUBMISSION_BYTES, SUBMISSION_DATA, SUBMISSION_META, SUBMISSION_NAME } from "../../assembly/abi.ts";
import { path } from "../../scripts/paths.ts";
import { Simulation } from "../../src/testing/index.ts";
import type { Exports } from "./border.ts";
import { guest } from "./guest.ts";

/** One call into the module, and what the module was told meanwhile. */
interface Turn {
  export: "_initialize" | "run";
  budget: number;
  /** What it returned; "trap" if it did not. */
  result: number | "trap" | undefined;
  answers: Answer[];
}

interface Answer {
  name: string;
  args: number[];
  result: number | "trap";
  /** What the host wrote. */
  writes: [at: number, bytes: Uint8Array][];
  /** What the guest handed over. */
  submitted: Uint8Array[];
}

/** Runs of bytes in which two states of memory differ. */
function differences(before: Uint8Array, after: Uint8Array): Answer["writes"] {
  const writes: Answer["writes"] = [];
  for (let at = 0; at < after.length; at++) {
    if (before[at] === after[at]) continue;
    let end = at + 1;
    while (end < after.length && before[end] !== after[end]) end++;
    writes.push([at, after.slice(at, end)]);
    at = end;
  }
  return writes;
}

/** Each record of a batch, followed by what it points at. */
function submitted(memory: WebAssembly.Memory, at: number, count: number): Uint8Array[] {
  const view = new DataView(memory.buffer);
  const handed: Uint8Array[] = [];
  for (let record = at; record < at + count * SUBMISSION_BYTES; record += SUBMISSION_BYTES) {
    handed.push(new Uint8Array(memory.buffer.slice(record, record + SUBMISSION_BYTES)));
    for (const field of [SUBMISSION_NAME, SUBMISSION_DATA, SUBMISSION_META]) {
      const pointer = view.getUint32(record + field, true);
      handed.push(new Uint8Array(memory.buffer.slice(pointer, pointer + view.getUint32(record + field + 4, true))));
    }
  }
  return handed;
}

/** Lets three requests overlap again and again, and writes down all that crosses the border. */
async function record(seed: number): Promise<Turn[]> {
  const turns: Turn[] = [];
  let memory: WebAssembly.Memory | undefined;
  const simulation = new Simulation({ seed, delay: [1, 30], faults: { network: 0.2, kvRateLimited: 0.2 } });
  const resources = {
    CACHE: simulation.kv(),
    API: simulation.origin("https://api.test", () => new Response("body")),
  };
  const { proactor } = await guest("test/contract", {
    simulation,
    resources,
    isolation: "shared",
    memory: false,
    exports: (exports) => {
      memory = exports.memory;
      const during = <T extends number | void>(turn: Turn, call: () => T): T => {
        turns.push(turn);
        const result = call();
        turn.result = result as number;
        return result;
      };
      return {
        _initialize: () =>
          during({ export: "_initialize", budget: 0, result: "trap", answers: [] }, exports._initialize),
        run: (budget) => during({ export: "run", budget, result: "trap", answers: [] }, () => exports.run(budget)),
      };
    },
    imports: (imports) =>
      Object.fromEntries(
        Object.entries(imports).map(([from, functions]) => [
          from,
          Object.fromEntries(
            Object.entries(functions).map(([name, call]) => [
              name,
              (...args: number[]) => {
                const before = new Uint8Array(memory!.buffer.slice(0));
                const handed = name === "submit" ? submitted(memory!, args[0]!, args[1]!) : [];
                const answer: Answer = { name, args, result: "trap", writes: [], submitted: handed };
                turns.at(-1)!.answers.push(answer);
                answer.result = call(...args);
                answer.writes = differences(before, new Uint8Array(memory!.buffer));
                return answer.result;
              },
            ]),
          ),
        ]),
      ),
  });
  const paths = ["/random", "/overrule", "/chain?n=7", "/stale", "/abort", "/status", "/wait?ms=3", "/full?n=9"];
  const requests = Array.from({ length: 24 }, (_, index) => paths[(index * 5) % paths.length]!);
  for (const batch of [0, 3, 6, 9, 12, 15, 18, 21].map((from) => requests.slice(from, from + 3))) {
    const answers = batch.map((path) => proactor.fetch(new Request(`http://guest.test${path}`)));
    for (const answer of await simulation.run(Promise.all(answers))) await answer.arrayBuffer();
  }
  return turns;
}

/** Plays the recorded turns to a fresh instance, which must do the same. */
function replay(turns: readonly Turn[]): void {
  const module = new WebAssembly.Module(readFileSync(path("build/test/contract.wasm")));
  let expected: Answer[] = [];
  const answer = (name: string, args: number[]): number => {
    const next = expected.shift();
    expect([name, ...args]).toEqual([next?.name, ...(next?.args ?? [])]);
    if (name === "submit") expect(submitted(exports.memory, args[0]!, args[1]!)).toEqual(next!.submitted);
    if (next!.result === "trap") throw new Error("trap");
    for (const [at, bytes] of next!.writes) new Uint8Array(exports.memory.buffer).set(bytes, at);
    return next!.result;
  };
  const imports: Record<string, Record<string, (...args: number[]) => number>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = (...args) => answer(name, args);
  }
  const exports = new WebAssembly.Instance(module, imports).exports as unknown as Exports;
  for (const turn of turns) {
    expected = [...turn.answers];
    const play = (): number | void => (turn.export === "run" ? exports.run(turn.budget) : exports._initialize());
    if (turn.result === "trap") expect(play).toThrow("trap");
    else expect(play()).toBe(turn.result);
    expect(expected).toEqual([]);
  }
}

test("rule 15: a recorded run replays to the byte on a fresh instance", async () => {
  for (const seed of [1, 2, 3]) {
    const turns = await record(seed);
    const names = new Set(turns.flatMap(({ answers }) => answers.map(({ name }) => name)));
    expect([...names]).toEqual(
      expect.arrayContaining(["submit", "poll", "open", "abort", "random_get", "clock_time_get"]),
    );
    replay(turns);
  }
});

test("rule 15: a replay notices one byte that is not the same", async () => {
  const turns = await record(4);
  const last = turns
    .flatMap(({ answers }) => answers)
    .findLast(({ name, submitted }) => name === "submit" && submitted.length > 0)!;
  last.submitted[0]![SUBMISSION_BYTES - 1]! ^= 1;
  expect(() => replay(turns)).toThrow();
});
