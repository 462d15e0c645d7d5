// Starts a Worker in workerd alone, without Miniflare: nothing but the Worker and the server's own work is measured,
// which makes every difference between two Workers as large as it can be. A peer is such a Worker too.

import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleWorker, COMPATIBILITY_DATE } from "../scripts/miniflare.ts";
import { MEASURE_MS_MAX } from "./peer.ts";
import type { Workload } from "./peer.ts";

/** The binary that Miniflare starts: the package's main module is its path. */
const WORKERD: string = createRequire(createRequire(import.meta.url).resolve("miniflare"))("workerd").default;

export const workerdVersion = (): string => execFileSync(WORKERD, ["--version"], { encoding: "utf8" }).trim();

export class Workerd {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #ended: () => void;

  private constructor(url: string, process: ChildProcess, ended: () => void) {
    this.url = url;
    this.#process = process;
    this.#ended = ended;
  }

  /** Bundles `entry` and serves it, with texts as bindings, and KV and all that it fetches from workerd/ at once. */
  static async start(entry: string, texts: Record<string, string> = {}): Promise<Workerd> {
    const folder = await configure(entry, texts);
    const remove = (): void => rmSync(folder, { recursive: true });
    try {
      return await Workerd.spawn(folder, remove);
    } catch (error) {
      remove();
      throw error;
    }
  }

  /** Serves what lies in the folder. */
  static async spawn(folder: string, ended = (): void => {}): Promise<Workerd> {
    const child = spawn(WORKERD, ["serve", join(folder, CONFIGURATION), "--control-fd=3"], {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    return new Workerd(`http://127.0.0.1:${await portOf(child)}`, child, ended);
  }

  /** Milliseconds of CPU time that all its threads have used; undefined where the system does not tell. */
  cpuMs(): number | undefined {
    const tasks = `/proc/${this.#process.pid}/task`;
    if (!existsSync(tasks)) return undefined;
    const nanoseconds = readdirSync(tasks).map((task) =>
      Number(readFileSync(join(tasks, task, "schedstat"), "utf8").split(" ")[0]),
    );
    return nanoseconds.reduce((sum, ns) => sum + ns, 0) / 1e6;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill();
    await ended;
    this.#ended();
  }
}

/** What a time from outside is worth: an empty request takes more or less than that. */
const LEAST_MS = 0.05;

/** A peer in a workerd of its own. */
export class WorkerdProcess {
  readonly #workerd: Workerd;

  private constructor(workerd: Workerd) {
    this.#workerd = workerd;
  }

  /** Starts the peer of a folder in peers/. */
  static async start(peer: string): Promise<WorkerdProcess> {
    return new WorkerdProcess(await Workerd.start(`bench/peers/${peer}/workerd.ts`));
  }

  /** Clocks stand still inside workerd: the time of a request from outside, less that of one for no operation. */
  async measure(workload: Workload, count: number, size: number): Promise<number> {
    const ask = (n: number): Promise<number> =>
      timed(`${this.#workerd.url}/?workload=${workload}&count=${n}&size=${size}`, String(n));
    const empty = Math.min(await ask(0), await ask(0), await ask(0));
    return Math.max((await ask(count)) - empty, LEAST_MS);
  }

  stop(): Promise<void> {
    return this.#workerd.stop();
  }
}

/** Milliseconds until the whole answer is here. Throws if it is another one. */
export async function timed(url: string, expected: string): Promise<number> {
  const start = performance.now();
  const response = await fetch(url, { signal: AbortSignal.timeout(MEASURE_MS_MAX) });
  const text = await response.text();
  const ms = performance.now() - start;
  if (text !== expected) throw new Error(`${url} answers ${response.status} ${text.slice(0, 200)}`);
  return ms;
}

const CONFIGURATION = "config.capnp";

/** Writes a Worker, with what is around it, into a folder of its own: `Workerd.spawn` serves it. */
export async function configure(entry: string, texts: Record<string, string> = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "wasm-proactor-bench-"));
  const bindings = Object.entries(texts).map(([name, text]) => `(name = "${name}", text = "${text}")`);
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "store", worker = .store),
    (name = "upstream", worker = .upstream)
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [${await modulesOf(entry, folder, "main")}],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [${[`(name = "CACHE", kvNamespace = "store")`, ...bindings].join(", ")}],
  globalOutbound = "upstream"
);
const store :Workerd.Worker = (
  modules = [${await modulesOf("bench/workerd/store.ts", folder, "store")}],
  compatibilityDate = "${COMPATIBILITY_DATE}"
);
const upstream :Workerd.Worker = (
  modules = [${await modulesOf("bench/workerd/upstream.ts", folder, "upstream")}],
  compatibilityDate = "${COMPATIBILITY_DATE}"
);
`;
  writeFileSync(join(folder, CONFIGURATION), config);
  return folder;
}

/** Writes a Worker's modules into `folder` and lists them as the configuration wants them: the main one first. */
async function modulesOf(entry: string, folder: string, prefix: string): Promise<string> {
  const { mainModule, modules } = await bundleWorker(entry);
  const names = Object.keys(modules).toSorted((a, b) => Number(b === mainModule) - Number(a === mainModule));
  return names
    .map((name) => {
      const { type, contents } = modules[name]!;
      const file = `${prefix}-${name}`;
      writeFileSync(join(folder, file), typeof contents === "string" ? withoutSourceMap(contents) : contents);
      return `(name = "${name}", ${type === "wasm" ? "wasm" : "esModule"} = embed "${file}")`;
    })
    .join(", ");
}

/** Several times as long as the code, it would have to be read at the start; a deployed Worker has none. */
const withoutSourceMap = (text: string): string => text.replace(/^\/\/# sourceMappingURL=.*$/m, "");

/** workerd tells on its control pipe which port it has got. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`workerd ended with code ${code} before it listened`)));
    let text = "";
    child.stdio[3]!.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const port = /"event":"listen".*"port":(\d+)/.exec(text)?.[1];
      if (port) resolve(Number(port));
    });
  });
}
