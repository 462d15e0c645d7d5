// `npm run conformance:http`: the routes of the deployed Worker, over HTTP, against any host that serves them.

import { randomBytes } from "node:crypto";
import { parseArgs, styleText } from "node:util";
import { path } from "../../scripts/paths.ts";
import type { Check, ServerOptions, StartServer, Stats, Subject } from "./check.ts";
import { connections } from "./checks/connections.ts";
import { serving } from "./checks/serving.ts";
import { perform } from "./perform.ts";
import type { Outcome, Skip } from "./perform.ts";
import { endServer, startServer } from "./server.ts";
import { CHECKS } from "./suite.ts";
import { startUpstream } from "./upstream.ts";

const HELP = `Checks the routes of the deployed Worker on any host, over HTTP.

  npm run conformance:http -- --url http://127.0.0.1:8787 --upstream http://127.0.0.1:9000
  npm run conformance:http -- --serve "serve {module} --port 0 --kv CACHE --origin UPSTREAM={upstream}"

  --url       where the host listens, started by you; it grants CACHE and UPSTREAM
  --upstream  the upstream behind it: node conformance/http/upstream.ts --port 9000
  --serve     starts the host, which prints "listening on http://…", and an upstream for it; ends both
  --module    what {module} stands for; build/worker.wasm without it
  --check     only the checks whose name begins so; may be given again
  --skip      not the checks whose name begins so: "name=reason"; may be given again
`;

/** Wrong use, as the shell has it. */
const BAD_USE = 2;

const ALL: readonly Check[] = [...CHECKS, ...connections, ...serving];

class BadUse extends Error {}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      upstream: { type: "string" },
      serve: { type: "string" },
      module: { type: "string", default: path("build/worker.wasm") },
      check: { type: "string", multiple: true, default: [""] },
      skip: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const checks = ALL.filter(({ name }) => values.check.some((begin) => name.startsWith(begin)));
  if (checks.length === 0) throw new BadUse(`no check begins with "${values.check.join('", "')}"`);
  const skips = values.skip.map(skipOf);
  const { url, upstream, serve, module } = values;
  if (serve && !url && !upstream) await conclude(served(serve, module, checks, skips));
  else if (url && upstream && !serve) await conclude(perform(checks, subjectAt(url, upstream), skips));
  else throw new BadUse("give --url with --upstream, or --serve alone; --help says more");
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
): AsyncGenerator<Outcome> {
  const upstream = await startUpstream();
  const start = (options: ServerOptions = {}) => {
    const filled = command.replaceAll("{upstream}", upstream.url).replaceAll("{module}", options.module ?? module);
    const server = startServer([filled, options.argument ?? ""].join(" "));
    servers.push(server);
    return server;
  };
  const servers: ReturnType<StartServer>[] = [];
  try {
    yield* perform(checks, subjectAt(await start().url, upstream.url, start), skips);
  } finally {
    await Promise.all(servers.map(endServer));
    upstream.destroy();
    await upstream.stop();
  }
}

/** Prints what comes, and what it comes to. */
async function conclude(outcomes: AsyncIterable<Outcome>): Promise<void> {
  const counts = { ok: 0, FAILED: 0, skipped: 0 };
  for await (const outcome of outcomes) {
    counts[outcome.is]++;
    console.log(lineOf(outcome));
  }
  console.log(`\n${counts.ok} ok, ${counts.FAILED} failed, ${counts.skipped} skipped`);
  if (counts.FAILED > 0) process.exitCode = 1;
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

await main().catch((error: Error) => {
  console.error(error.message);
  const isBadUse = error instanceof BadUse || (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS");
  process.exitCode = isBadUse ? BAD_USE : 1;
});
