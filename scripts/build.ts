// Builds everything that is run or published: the host library into dist/, the guests into build/.
//
// A step is skipped while the bytes it read last time are unchanged. So `npm test` and `npm start` may call the build
// every time, and a step never has to guess what it depends on: the guests' list is what asc asked for.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, relative } from "node:path";
import { parseArgs, promisify, styleText } from "node:util";
import { Worker } from "node:worker_threads";
import { build as bundle } from "esbuild";
import type { GuestJob, GuestResult } from "./asc-worker.ts";
import { writeAtomically } from "./files.ts";
import { HOST_ENTRIES, path, ROOT } from "./paths.ts";
import { HEADER } from "./header.ts";
import { readHostile } from "./hostile.ts";
import { watBytes } from "./wat.ts";

const HELP = `Builds the host library into dist/ and the guests into build/.

  npm run build -- [--only host|guest|worker] [--guest name…] [--force] [--quiet]

  --only    build one half, or the Worker's guest alone
  --guest   build this guest alone, such as test/guest/noop.ts; may be given again
  --force   build what is up to date too
  --quiet   print only failures
`;

const PARTS = ["host", "guest", "worker"] as const;

export interface BuildOptions {
  only?: (typeof PARTS)[number];
  /** Entries; no other guest is built, and not the host. */
  guest?: string[];
  force?: boolean;
  quiet?: boolean;
}

/** What a step read when it last succeeded, and a hash of those bytes. */
interface Stamp {
  reads: string[];
  fingerprint: string;
}

const STAMPS = path("build/stamps.json");

/** The scripts and the locked versions decide the output as much as the sources do. */
const ALWAYS_READ = ["package-lock.json", "scripts/build.ts", "scripts/asc-worker.ts", "scripts/paths.ts"];

/** Builds what is not up to date. Throws, after everything was tried, if anything does not compile. */
export async function build(options: BuildOptions = {}): Promise<void> {
  const stamps: Record<string, Stamp> = options.force ? {} : readStamps();
  const failures: string[] = [];
  const report = (text: string) => options.quiet || console.log(text);
  const only = options.guest ? "guest" : options.only;
  const jobs = guestJobs(only).filter(({ entry }) => options.guest?.includes(entry) ?? true);
  const results = await Promise.allSettled([
    ...(only === "guest" || only === "worker" ? [] : [buildHost(stamps, report)]),
    buildGuests(jobs, stamps, report),
    ...(only === undefined || (only === "guest" && !options.guest)
      ? [buildHostile(stamps, report), buildC(stamps, report)]
      : []),
  ]);
  for (const result of results) if (result.status === "rejected") failures.push(result.reason.message);
  writeAtomically(STAMPS, JSON.stringify(stamps));
  if (failures.length > 0) throw new Error(failures.join("\n"));
}

// The host library.

async function buildHost(stamps: Record<string, Stamp>, report: (text: string) => void): Promise<void> {
  const inputs = ["src/**/*.ts", "tools/*.ts", "assembly/abi.ts", "tsconfig/*.json"].flatMap((pattern) =>
    globSync(pattern, { cwd: ROOT }),
  );
  const outputs = Object.keys(HOST_ENTRIES).map((name) => `dist/${name}.js`);
  if (isUpToDate(stamps["dist"], inputs) && outputs.every((file) => existsSync(path(file)))) {
    return report(line("dist/", "up to date"));
  }
  const start = performance.now();
  delete stamps["dist"];
  // Old chunks carry their hash in the name and would be published for ever.
  rmSync(path("dist"), { recursive: true, force: true });
  await Promise.all([bundleHost(), emitDeclarations()]);
  stamps["dist"] = { reads: inputs, fingerprint: fingerprint(inputs) };
  report(line("dist/", seconds(start)));
}

/**
 * Bundled per entry with shared chunks. With `minifySyntax` esbuild inlines the numbers of abi.ts, which would be looked
 * up at run time and which no bundler of a user's inlines across the chunks.
 */
async function bundleHost(): Promise<void> {
  await bundle({
    absWorkingDir: ROOT,
    entryPoints: HOST_ENTRIES,
    outdir: "dist",
    bundle: true,
    minifySyntax: true,
    splitting: true,
    chunkNames: "shared-[hash]",
    format: "esm",
    platform: "neutral",
    target: "es2022",
    packages: "external",
    external: ["node:*", "cloudflare:*"],
    sourcemap: true,
    // The sources are published themselves.
    sourcesContent: false,
    logLevel: "error",
  });
}

async function emitDeclarations(): Promise<void> {
  await run("tsc", ["-p", "tsconfig/declarations.json"]);
  // `u32` is AssemblyScript's name. A consumer must neither need a global type nor have one forced upon it.
  for (const file of globSync("dist/types/**/*.d.ts", { cwd: ROOT })) {
    const text = readFileSync(path(file), "utf8");
    const plain = text.replace(/\bu32\b/g, "number");
    if (plain !== text) writeFileSync(path(file), plain);
  }
}

// The guests.

/**
 * The Worker's guest, those of the examples, and those of the tests, the bench and the simulator: these once for every
 * runtime that their `// runtimes:` asks for and every target that their `// targets:` do, with the options that their
 * `// options:` adds. One with a line `// fibers` is put through Asyncify besides.
 */
function guestJobs(only: BuildOptions["only"]): GuestJob[] {
  if (only === "host") return [];
  const worker = job("worker/guest/index.ts", "build/worker.wasm");
  return only === "worker"
    ? [worker]
    : [worker, ...["test", "bench", "simulate", "conformance"].flatMap(jobsOf), ...peerJobs(), ...exampleJobs()];
}

/**
 * What the bench compares with: guests that know nothing of this package. Their configuration names the WASI library all the
 * same, for a compiler that has had it once looks for it in each later guest.
 */
function peerJobs(): GuestJob[] {
  return globSync("bench/peers/*/assembly/guest.ts", { cwd: ROOT })
    .toSorted()
    .map((entry) =>
      job(entry, `build/bench/peers/${entry.split("/")[2]}.wasm`, { config: "bench/peers/asconfig.json" }),
    );
}

/** Beside its host, which imports it from there. It imports the package by its name, as a user's guest does. */
function exampleJobs(): GuestJob[] {
  return globSync("examples/*/guest.ts", { cwd: ROOT })
    .toSorted()
    .map((entry) => job(entry, entry.replace(/ts$/, "wasm"), { config: "examples/asconfig.json" }));
}

function jobsOf(folder: string): GuestJob[] {
  return globSync(`${folder}/guest/*.ts`, { cwd: ROOT })
    .toSorted()
    .flatMap((entry) => {
      const text = readFileSync(path(entry), "utf8");
      const asked = /^\/\/ runtimes: (.+)$/m.exec(text)?.[1] ?? "incremental";
      const targets = /^\/\/ targets: (.+)$/m.exec(text)?.[1] ?? "release";
      const added = /^\/\/ options: (.+)$/m.exec(text)?.[1]?.split(" ") ?? [];
      const asyncified = /^\/\/ fibers$/m.test(text);
      return asked.split(/[ ,]+/).flatMap((runtime) =>
        targets.split(/[ ,]+/).map((target): GuestJob => {
          const suffix = (runtime === "incremental" ? "" : `.${runtime}`) + (target === "release" ? "" : `.${target}`);
          const outFile = `build/${folder}/${basename(entry, ".ts")}${suffix}.wasm`;
          return job(entry, outFile, { target, argv: ["--runtime", runtime, ...added], asyncified });
        }),
      );
    });
}

function job(
  entry: string,
  outFile: string,
  { config = "asconfig.json", target = "release", argv = [] as string[], asyncified = false } = {},
): GuestJob {
  return { entry, outFile, argv: ["--config", config, "--target", target, ...argv], asyncified };
}

async function buildGuests(jobs: GuestJob[], stamps: Record<string, Stamp>, report: (text: string) => void) {
  const waiting = jobs.filter((job) => {
    const stamp = stamps[job.outFile];
    return !(existsSync(path(job.outFile)) && isUpToDate(stamp, stamp?.reads ?? [], job.argv));
  });
  if (waiting.length < jobs.length) report(line("build/", `${jobs.length - waiting.length} guests up to date`));
  const failures: string[] = [];
  const compileNext = async (compiler: Worker): Promise<void> => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const start = performance.now();
      const { wasm, asyncified, reads, diagnostics } = await ask(compiler, job);
      if (!wasm) {
        delete stamps[job.outFile];
        failures.push(`${job.entry} does not compile:\n${diagnostics}`);
        continue;
      }
      if (diagnostics) console.error(diagnostics);
      writeAtomically(path(job.outFile), wasm);
      if (asyncified) writeAtomically(path(job.outFile.replace(/wasm$/, "asyncify.wasm")), asyncified);
      const inputs = reads.map((file) => relative(ROOT, file));
      stamps[job.outFile] = { reads: inputs, fingerprint: fingerprint(inputs, job.argv) };
      report(line(job.outFile, `${wasm.byteLength} bytes, ${seconds(start)}`));
    }
    await compiler.terminate();
  };
  const count = Math.min(waiting.length, availableParallelism());
  await Promise.all(
    Array.from({ length: count }, () => compileNext(new Worker(new URL("asc-worker.ts", import.meta.url)))),
  );
  if (failures.length > 0) throw new Error(failures.join("\n"));
}

/** The hostile modules, as the conformance corpus has them. */
async function buildHostile(stamps: Record<string, Stamp>, report: (text: string) => void): Promise<void> {
  const folder = "build/conformance/hostile";
  const inputs = ["scripts/hostile.ts", "scripts/wat.ts", ...globSync("test/hostile/*.wat", { cwd: ROOT }).toSorted()];
  if (existsSync(path(folder)) && isUpToDate(stamps[folder], inputs)) return report(line(folder, "up to date"));
  const start = performance.now();
  delete stamps[folder];
  rmSync(path(folder), { recursive: true, force: true });
  for (const { name, text } of readHostile()) writeAtomically(path(`${folder}/${name}.wasm`), await watBytes(text));
  stamps[folder] = { reads: inputs, fingerprint: fingerprint(inputs) };
  report(line(folder, seconds(start)));
}

/** The guest in C, where there is a compiler for it: nobody who uses or tests the rest needs one. */
async function buildC(stamps: Record<string, Stamp>, report: (text: string) => void): Promise<void> {
  const outFile = "build/conformance/c.wasm";
  const inputs = ["conformance/c/guest.c", HEADER];
  if (existsSync(path(outFile)) && isUpToDate(stamps[outFile], inputs)) return report(line(outFile, "up to date"));
  const start = performance.now();
  mkdirSync(dirname(path(outFile)), { recursive: true });
  const argv = ["--target=wasm32", "-std=c11", "-Oz", "-Wall", "-Wextra", "-Werror", "-nostdlib", "-Wl,--no-entry"];
  try {
    await promisify(execFile)("clang", [...argv, "-o", outFile, inputs[0]!], { cwd: ROOT });
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") return report(line(outFile, "not built: there is no clang"));
    if (/wasm-ld|wasm32/.test(stderr ?? ""))
      return report(line(outFile, "not built: clang has no wasm32, or no wasm-ld"));
    throw new Error(`${inputs[0]} does not compile:\n${stderr}`, { cause: error });
  }
  stamps[outFile] = { reads: inputs, fingerprint: fingerprint(inputs) };
  report(line(outFile, `${statSync(path(outFile)).size} bytes, ${seconds(start)}`));
}

async function ask(compiler: Worker, job: GuestJob): Promise<GuestResult> {
  compiler.postMessage(job);
  // Takes back its listeners: a compiler is asked many times.
  const [result] = await once(compiler, "message");
  return result as GuestResult;
}

// Stamps and small things.

function readStamps(): Record<string, Stamp> {
  return existsSync(STAMPS) ? JSON.parse(readFileSync(STAMPS, "utf8")) : {};
}

function isUpToDate(stamp: Stamp | undefined, reads: string[], argv: string[] = []): boolean {
  return stamp !== undefined && stamp.fingerprint === fingerprint(reads, argv);
}

function fingerprint(reads: string[], argv: string[] = []): string {
  const hash = createHash("sha256").update(argv.join(" "));
  for (const file of [...ALWAYS_READ, ...reads]) {
    hash.update(`\0${file}\0`);
    if (existsSync(path(file))) hash.update(readFileSync(path(file)));
  }
  return hash.digest("hex");
}

/** Runs a development tool of this package. */
async function run(tool: string, argv: string[]): Promise<void> {
  try {
    await promisify(execFile)(path("node_modules/.bin", tool), argv, { cwd: ROOT });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${tool} ${argv.join(" ")} fails:\n${stdout}${stderr}`, { cause: error });
  }
}

const seconds = (start: number): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;

const line = (what: string, how: string): string => `  ${what.padEnd(36)} ${styleText("dim", how)}`;

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      guest: { type: "string", multiple: true },
      force: { type: "boolean" },
      quiet: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
  } else if (values.only && !PARTS.some((part) => part === values.only)) {
    console.error(`--only takes ${PARTS.join(", ")}, not ${values.only}`);
    process.exitCode = 1;
  } else {
    await build(values as BuildOptions).catch((error: Error) => {
      console.error(error.message);
      process.exitCode = 1;
    });
  }
}
