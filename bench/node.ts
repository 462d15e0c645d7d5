// A peer in a Node process of its own: no other peer's garbage and no other peer's types are in its way. Both sides: who
// asks, and, started as a program, who is asked.

import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { path } from "../scripts/paths.ts";
import { MEASURE_MS_MAX } from "./peer.ts";
import type { Peer, Workload } from "./peer.ts";

/** The same for all, whether they make use of them or not. */
export const FLAGS = ["--experimental-wasm-jspi", "--expose-gc", "--disable-warning=ExperimentalWarning"];

interface Question {
  workload: Workload;
  count: number;
  size: number;
}

type Answer = { ms: number } | { error: string };

export class NodeProcess {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** Starts the peer of a folder in peers/. Rejects if it does not load. */
  static async start(peer: string): Promise<NodeProcess> {
    const child = fork(fileURLToPath(import.meta.url), [peer], { execArgv: [...process.execArgv, ...FLAGS] });
    const started = new NodeProcess(child);
    await started.#answer();
    return started;
  }

  async measure(workload: Workload, count: number, size: number): Promise<number> {
    this.#process.send({ workload, count, size } satisfies Question);
    return this.#answer();
  }

  /** Resolves when it has ended, whatever it was doing. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill();
    await ended;
  }

  async #answer(): Promise<number> {
    const answer = await new Promise<Answer>((resolve) => {
      const late = setTimeout(() => void this.#process.kill(), MEASURE_MS_MAX);
      const died = (code: number | null, signal: string | null): void =>
        settle({ error: `its process ended with ${signal ?? `code ${code}`}` });
      const settle = (answer: Answer): void => {
        clearTimeout(late);
        this.#process.off("exit", died).off("message", settle);
        resolve(answer);
      };
      this.#process.once("exit", died).once("message", settle);
    });
    if ("error" in answer) throw new Error(answer.error);
    return answer.ms;
  }
}

// The other side.

/** An imported `.wasm` file is a compiled module, as it is in workerd: so a peer's code is the same in both. */
export function importModules(): void {
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.endsWith(".wasm")) return nextLoad(url, context);
      const source = `import { readFileSync } from "node:fs";
        export default new WebAssembly.Module(readFileSync(new URL(${JSON.stringify(url)})));`;
      return { format: "module", shortCircuit: true, source };
    },
  });
}

async function answerAs(name: string): Promise<void> {
  importModules();
  const { peer } = (await import(path("bench/peers", name, "index.ts"))) as { peer: Peer };
  process.on("message", ({ workload, count, size }: Question) =>
    answer(async () => {
      const run = peer[workload];
      if (!run) throw new Error(`peer ${name} does not do ${workload}`);
      const start = performance.now();
      await run(count, size);
      return performance.now() - start;
    }),
  );
}

async function answer(work: () => Promise<number>): Promise<void> {
  const result: Answer = await work().then(
    (ms) => ({ ms }),
    (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
  );
  process.send!(result);
}

if (import.meta.main) {
  await answer(async () => {
    await answerAs(process.argv[2]!);
    return 0;
  });
}
