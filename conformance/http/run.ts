// `npm run conformance:http`: the routes of the deployed Worker, over HTTP, against any host that serves them.

import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs, styleText } from "node:util";
import { path } from "../../scripts/paths.ts";
import { missing, mustRun, readHosts } from "../hosts.ts";
import type { HostEntry } from "../hosts.ts";
import type { Check, Server, ServerOptions, StartServer, Stats, Subject } from "./check.ts";
import { connections } from "./checks/connections.ts";
import { serving } from "./checks/serving.ts";
import { perform } from "./perform.ts";
import type { Outcome, Skip } from "./perform.ts";
import { endServer, startServer } from "./server.ts";
import { CHECKS } from "./suite.ts";
import { tableOf } from "./table.ts";
import type { Column } from "./table.ts";
import { startUpstream } from "./upstream.ts";

const HELP = `Checks the routes of the deployed Worker on any host, over HTTP.

  npm run conformance:http -- --host node
  npm run conformance:http -- --url http://127.0.0.1:8787 --upstream http://127.0.0.1:9000
  npm run conformance:http -- --serve "serve {module} --port 0 --kv CACHE --origin UPSTREAM={upstream}"

  --host      a host of conformance/hosts.json, or all of them: then each check of which host, as a table
  --url       where the host listens, started by you; it grants CACHE and UPSTREAM
  --upstream  the upstream behind it: node conformance/http/upstream.ts --port 9000
  --serve     starts the host, which prints "listening on http://…", and an upstream for it; ends both
  --module    what {module} stands for; build/worker.wasm without it
  --check     only the checks whose name begins so; may be given again
  --json      with --host: writes what passed to this file
  --skip      not the checks whose name begins so: "name=reason"; may be given again
`;

/** Wrong use, as the shell has it. */
const BAD_USE = 2;

const ALL: readonly Check[] = [...CHECKS, ...connections, ...serving];

class BadUse extends Error {}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      host: { type: "string" },
      url: { type: "string" },
      upstream: { type: "string" },
      serve: { type: "string" },
      module: { type: "string", default: path("build/worker.wasm") },
      check: { type: "string", multiple: true, default: [""] },
      skip: { type: "string", multiple: true, default: [] },
      json: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const checks = ALL.filter(({ name }) => values.check.some((begin) => name.startsWith(begin)));
  if (checks.length === 0) throw new BadUse(`no check begins with "${values.check.join('", "')}"`);
  const skips = values.skip.map(skipOf);
  const { host, url, upstream, serve } = values;
  const module = resolve(values.module);
  const ways = [host, serve, url && upstream].filter(Boolean).length;
  if (ways !== 1 || Boolean(url) !== Boolean(upstream))
    throw new BadUse("give one of --host, --serve, and --url with --upstream; --help says more");
  if (host) {
    const columns = await compare(readHosts(host), module, checks, skips);
    if (values.json) writeFileSync(values.json, JSON.stringify(columns.map(summaryOf), null, 2));
    return conclude(columns.flatMap(({ outcomes }) => outcomes));
  }
  if (serve) return conclude(await print(served(serve, module, checks, skips)));
  return conclude(await print(perform(checks, subjectAt(url!, upstream!), skips)));
}

function skipOf(text: string): Skip {
  const [, check, reason] = /^(.+)=(.+)$/s.exec(text) ?? [];
  if (!check || !reason) throw new BadUse(`--skip takes "name=reason", not "${text}"`);
  return { check, reason };
}

function subjectAt(url: string, upstream: string, start?: StartServer): Subject {
  const { hostname, port } = new URL(url);
  const stats = async (method: string) => (await (await fetch(`${upstream}/stats`, { method })).json()) as Stats;
  return {
    send: (path, init) => fetch(`${url.replace(/\/$/, "")}${path}`, { redirect: "manual", ...init }),
    stats: () => stats("GET"),
    resetStats: async () => void (await stats("DELETE")),
    address: { hostname, port: Number(port || 80) },
    ...(start && { start }),
    run: `run-${randomBytes(4).toString("hex")}`,
  };
}

/** Starts the host and its upstream, and ends them afterwards, whatever happened. */
async function* served(
  command: string,
  module: string,
  checks: readonly Check[],
  skips: readonly Skip[],
  cwd?: string,
): AsyncGenerator<Outcome> {
  const upstream = await startUpstream();
  const servers: Server[] = [];
  const start = (options: ServerOptions = {}): Server => {
    const filled = command.replaceAll("{upstream}", upstream.url).replaceAll("{module}", options.module ?? module);
    const server = startServer([filled, options.argument ?? ""].join(" "), cwd);
    servers.push(server);
    return server;
  };
  try {
    yield* perform(checks, subjectAt(await start().url, upstream.url, start), skips);
  } finally {
    await Promise.all(servers.map(endServer));
    upstream.destroy();
    await upstream.stop();
  }
}

/** Runs the checks on each host that there can be here. */
async function compare(
  hosts: readonly HostEntry[],
  module: string,
  checks: readonly Check[],
  skips: readonly Skip[],
): Promise<Column[]> {
  const columns: Column[] = [];
  for (const host of hosts) {
    const reason = reasonNotToRun(host);
    if (reason && (host.serve || host.page)) mustRun();
    console.log(`\n${styleText("bold", host.name)}${reason ? `: not run, ${reason}` : ""}`);
    const outcomes = reason ? [] : await print(await performOn(host, module, checks, skips));
    columns.push({ name: host.name, outcomes, ...(reason && { reason }) });
  }
  if (columns.length > 1) console.log(`\n${tableOf(columns)}`);
  return columns;
}

function reasonNotToRun(host: HostEntry): string | undefined {
  return host.serve || host.page ? missing(host) : "it has no server";
}

async function performOn(
  { page, serve, skip = {} }: HostEntry,
  module: string,
  checks: readonly Check[],
  skips: readonly Skip[],
): Promise<AsyncIterable<Outcome>> {
  const all = [...skips, ...Object.entries(skip).map(([check, reason]): Skip => ({ check, reason }))];
  if (!page) return served(serve!, module, checks, all, path());
  // It needs packages, which the rest does without.
  return (await import("../../hosts/browser/chromium.ts")).performInPage(checks, all);
}

/** Prints outcomes as they come. A host that does not start is one that failed. */
async function print(outcomes: AsyncIterable<Outcome>): Promise<Outcome[]> {
  const all: Outcome[] = [];
  try {
    for await (const outcome of outcomes) {
      all.push(outcome);
      console.log(lineOf(outcome));
    }
  } catch (error) {
    const failed: Outcome = { name: "the host", is: "FAILED", difference: (error as Error).message };
    all.push(failed);
    console.log(lineOf(failed));
  }
  return all;
}

const count = (outcomes: readonly Outcome[], is: Outcome["is"]): number =>
  outcomes.filter((outcome) => outcome.is === is).length;

function summaryOf({ name, outcomes, reason }: Column) {
  const [passed, failed, skipped] = (["ok", "FAILED", "skipped"] as const).map((is) => count(outcomes, is));
  return { name, ...(reason ? { notRun: reason } : { passed, failed, skipped }) };
}

function conclude(outcomes: readonly Outcome[]): void {
  const [passed, failed, skipped] = (["ok", "FAILED", "skipped"] as const).map((is) => count(outcomes, is));
  console.log(`\n${passed} ok, ${failed} failed, ${skipped} skipped`);
  // Nothing that ran is nothing that passed.
  if (failed! > 0 || passed === 0) process.exitCode = 1;
}

function lineOf(outcome: Outcome): string {
  switch (outcome.is) {
    case "ok":
      return `${styleText("green", "ok     ")} ${outcome.name}`;
    case "skipped":
      return `${styleText("yellow", "skipped")} ${outcome.name}: ${outcome.reason}`;
    case "FAILED":
      return `${styleText("red", "FAILED ")} ${outcome.name}\n${outcome.difference.replace(/^/gm, "          ")}`;
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

await main().catch((error: Error) => {
  console.error(error.message);
  const isBadUse = error instanceof BadUse || (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS");
  process.exitCode = isBadUse ? BAD_USE : 1;
});
// The upstream may still be waiting, for a client that has gone.
process.exit();
