// The runner: acts the cases out with one host, or with all, and shows what differs.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs, styleText } from "node:util";
import { path } from "../scripts/paths.ts";
import { build } from "../scripts/build.ts";
import { isBuilt, readCases } from "./cases.ts";
import type { Suite } from "./cases.ts";
import { alike, difference, traceHash } from "./compare.ts";
import { missing, mustRun, readHosts } from "./hosts.ts";
import type { HostEntry } from "./hosts.ts";
import type { Command, Reply } from "./protocol.ts";

const HELP = `Acts the cases of conformance/cases out with a host, and shows what differs.

  npm run conformance -- [--host name|all] [--driver command] [--case prefix] [--json file]

  --host    one of conformance/hosts.json, or all of them; node if not given
  --driver  the command of a driver that speaks the protocol of conformance/README.md
  --case    only files that begin so
  --json    write what passed, and the hashes, to this file
`;

/** Milliseconds that a driver may take over one command, and over the first: it may have to be compiled. */
const REPLY_MS_MAX = 60_000;
const START_MS_MAX = 1_800_000;
/** Differences that are shown in full. */
const SHOWN_MAX = 5;

/** A driver's process. */
class Driver {
  readonly #process;
  readonly #lines;

  constructor(command: string) {
    this.#process = spawn(command, { shell: true, cwd: path(""), stdio: ["pipe", "pipe", "inherit"] });
    this.#process.stdin!.on("error", () => {});
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  async ask(command: Command, msMax = REPLY_MS_MAX): Promise<Reply> {
    this.#process.stdin!.write(`${JSON.stringify(command)}\n`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no reply to ${JSON.stringify(command)}`)), msMax);
    });
    const { value, done } = await Promise.race([this.#lines.next(), late]).finally(() => clearTimeout(timer));
    if (done) throw new Error(`the driver ended at ${JSON.stringify(command)}`);
    return JSON.parse(value) as Reply;
  }

  async end(): Promise<void> {
    this.#process.stdin!.end();
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), 5_000);
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, "exit");
    clearTimeout(timer);
  }
}

export interface Result {
  host: string;
  engine: string;
  passed: number;
  failed: string[];
  /** By suite, and of all. */
  hashes: Record<string, string>;
  hash: string;
}

export async function runHost(command: string, suites: Suite[], show: (text: string) => void): Promise<Result> {
  const driver = new Driver(command);
  const all: Reply[] = [];
  const result: Result = { host: "", engine: "", passed: 0, failed: [], hashes: {}, hash: "" };
  try {
    const hello = await driver.ask({ do: "hello" }, START_MS_MAX);
    Object.assign(result, { host: hello.host ?? "?", engine: hello.engine ?? "?" });
    for (const { name, cases } of suites) {
      const seen: Reply[] = [];
      for (const { title, steps } of cases) {
        let wrong = 0;
        for (const [index, { do: command, expect = {} }] of steps.entries()) {
          const reply = await driver.ask(absolute(command));
          seen.push(alike(reply));
          const lines = difference(expect, reply);
          if (lines.length === 0) continue;
          if (wrong++ === 0 && result.failed.length < SHOWN_MAX)
            show(
              [`${name}: ${title}`, `  step ${index + 1}: ${JSON.stringify(command)}`, ...colored(lines)].join("\n"),
            );
        }
        if (wrong === 0) result.passed++;
        else result.failed.push(`${name}: ${title}`);
      }
      result.hashes[name] = traceHash(seen);
      all.push(...seen);
    }
    result.hash = traceHash(all);
  } finally {
    await driver.end();
  }
  return result;
}

/** The driver need not know where the repository is. */
function absolute(command: Command): Command {
  return command.do === "start" ? { ...command, module: path(command.module) } : command;
}

function colored(lines: string[]): string[] {
  return lines.map((line) => {
    if (line.startsWith("+")) return `    ${styleText("red", line)}`;
    return line.startsWith("-") ? `    ${styleText("green", line)}` : `    ${styleText("dim", line)}`;
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      host: { type: "string", default: "node" },
      driver: { type: "string" },
      case: { type: "string", default: "" },
      json: { type: "string" },
      record: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const all = readCases(values.case);
  if (all.length === 0) throw new Error(`no file of conformance/cases begins with "${values.case}"`);
  await build({ quiet: true });
  const suites = all.filter(isBuilt);
  for (const { name } of all.filter((suite) => !isBuilt(suite))) {
    console.log(`${styleText("yellow", "not run")}  ${name}: its module was not built; npm run build says why`);
    mustRun();
  }
  if (values.record) return record(suites);
  const hosts: HostEntry[] = values.driver
    ? [{ name: values.driver, driver: values.driver, needs: [] }]
    : readHosts(values.host);
  const results: Record<string, object> = {};
  for (const host of hosts) {
    const lacks = missing(host);
    if (lacks || !host.driver) {
      const notRun = lacks ?? "it has no driver";
      if (lacks) mustRun();
      results[host.name] = { notRun };
      console.log(`${styleText("yellow", "not run")}  ${host.name}: ${notRun}`);
      continue;
    }
    const { skip = {} } = host;
    const result = await runHost(
      host.driver,
      suites.filter(({ name }) => !(name in skip)),
      (text) => console.log(text),
    );
    const skipped = suites.filter(({ name }) => name in skip).reduce((sum, { cases }) => sum + cases.length, 0);
    results[host.name] = { ...summary(result), skipped };
    const { passed, failed, hash } = result;
    const verdict = failed.length === 0 ? styleText("green", "passed ") : styleText("red", "FAILED ");
    console.log(
      `${verdict}  ${host.name} (${result.engine}): ${passed} of ${passed + failed.length}, ${hash.slice(0, 16)}`,
    );
    for (const title of failed) console.log(`         ${title}`);
    for (const { name } of suites) if (name in skip) console.log(`         not run: ${name}: ${skip[name]}`);
    if (failed.length > 0) process.exitCode = 1;
  }
  if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
}

/** What docs/portability.json has of a host. */
function summary({ host, engine, passed, failed, hash }: Result): object {
  return { host, engine, passed, failed: failed.length, hash };
}

/** Writes what the reference host does into the cases. Whoever changes the contract reads the difference. */
async function record(suites: Suite[]): Promise<void> {
  const driver = new Driver("node conformance/driver.ts");
  for (const { file, cases } of suites) {
    for (const { steps } of cases)
      for (const step of steps) {
        const reply = alike(await driver.ask(absolute(step.do)));
        delete step.expect;
        if (Object.keys(reply).length > 0) step.expect = reply;
      }
    writeFileSync(file, `${JSON.stringify(cases, null, 2)}\n`);
  }
  await driver.end();
}

if (import.meta.main) {
  await main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
