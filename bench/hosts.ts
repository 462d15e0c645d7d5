// Hosts: requests per second, p99 and processor time of each host beside a plain handler in its own language, behind the
// same server.
//
// Both run all the time and are asked in turn, in slices, so that whatever else the machine does falls upon both. The load
// comes from the same machine: of the requests per second only the ratio means something. The processor time is the
// server's own, and hides nothing behind the load's.

import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { missing, readHosts } from "../conformance/hosts.ts";
import type { Server } from "../conformance/http/check.ts";
import { endServer, startServer } from "../conformance/http/server.ts";
import { startUpstream } from "../conformance/http/upstream.ts";
import type { Speed } from "../conformance/portability.ts";
import { path } from "../scripts/paths.ts";
import { Load } from "./load.ts";
import type { Answered } from "./load.ts";
import { spreadOf } from "./statistics.ts";

const HELP = `Requests per second, p99 and processor time of each host, beside a plain handler in its language.

  npm run bench:hosts -- [--host name|all] [--slices 5] [--seconds 3] [--json file]
`;

const { values } = parseArgs({
  options: {
    host: { type: "string", default: "all" },
    slices: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    json: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}
const [slices, seconds] = [Number(values.slices), Number(values.seconds)];

const ROUTES = { hello: "/hello", "one KV read": "/kv/bench", "aggregate of 5": "/aggregate?n=5&delay=0" };
/** What it costs to make an instance for each request, and to compile nothing for it. */
const FRESH = { "hello, each in a fresh instance": "/hello" };

/** How many ask at once. */
const CONNECTIONS = 32;

const load = new Load();

interface Slice extends Answered {
  /** Microseconds of each request. */
  cpu?: number;
}

/** Linux counts a process's time in ticks: so many make a second. */
const TICKS = 100;

/** Microseconds of processor time that a group of processes has used; undefined where the system does not tell. */
function cpuOf(group: number): number | undefined {
  if (!existsSync("/proc/self/stat")) return undefined;
  let ticks = 0;
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const stat = statOf(id);
    if (stat?.group === group) ticks += stat.ticks;
  }
  return (ticks / TICKS) * 1e6;
}

/** A process's group and time; undefined if it has ended meanwhile. */
function statOf(id: string): { group: number; ticks: number } | undefined {
  try {
    // The second field is the command's name, in parentheses, and may have spaces.
    const fields = readFileSync(`/proc/${id}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return { group: Number(fields[2]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}

async function slice(server: Server, at: string): Promise<Slice> {
  const url = await server.url;
  const before = cpuOf(server.group);
  const loaded = await load.ask(url, { path: at, connections: CONNECTIONS, seconds });
  const after = cpuOf(server.group);
  return before === undefined || after === undefined ? loaded : { ...loaded, cpu: (after - before) / loaded.answers };
}

// The medians of slices.
const rate = (all: Slice[]): number => spreadOf(all.map(({ answers, seconds }) => answers / seconds)).median;
const p99 = (all: Slice[]): number => spreadOf(all.map(({ p99 }) => p99)).median;
const cpu = (all: Slice[]): number => spreadOf(all.map(({ cpu }) => cpu!)).median;

async function measure(host: Server, plain: Server, routes: Record<string, string>): Promise<Record<string, Speed>> {
  const speeds: Record<string, Speed> = {};
  for (const url of [await host.url, await plain.url])
    await fetch(`${url}/kv/bench`, { method: "PUT", body: "a value of thirty bytes or so" });
  for (const [route, at] of Object.entries(routes)) {
    const [ours, plains]: [Slice[], Slice[]] = [[], []];
    for (let done = 0; done <= slices; done++) {
      ours.push(await slice(host, at));
      plains.push(await slice(plain, at));
    }
    // The first of each has warmed up.
    ours.shift();
    plains.shift();
    const told = ours.every(({ cpu }) => cpu !== undefined);
    speeds[route] = {
      perSecond: rate(ours),
      p99: p99(ours),
      plainPerSecond: rate(plains),
      plainP99: p99(plains),
      ...(told && { cpu: cpu(ours), plainCpu: cpu(plains) }),
    };
    const { perSecond, plainPerSecond } = speeds[route];
    const ratios = ours.map((slice, index) => slice.answers / plains[index]!.answers).toSorted((a, b) => a - b);
    console.log(
      `  ${route.padEnd(16)} ${perSecond.toFixed(0)}/s, plain ${plainPerSecond.toFixed(0)}/s, ` +
        `× ${(perSecond / plainPerSecond).toFixed(2)} (${ratios[0]!.toFixed(2)} to ${ratios.at(-1)!.toFixed(2)})` +
        (told ? `, processor ${cpu(ours).toFixed(0)} µs, plain ${cpu(plains).toFixed(0)} µs` : ""),
    );
  }
  return speeds;
}
const results: Record<string, { speed: Record<string, Speed> }> = {};
for (const host of readHosts(values.host)) {
  const reason = missing(host);
  if (!host.serve || !host.plain || reason) {
    console.log(`${host.name}: not run, ${reason ?? "it has no server, or nothing plain to compare it with"}`);
    continue;
  }
  console.log(host.name);
  const upstream = await startUpstream();
  const filled = (command: string): string =>
    command.replaceAll("{module}", path("build/worker.wasm")).replaceAll("{upstream}", upstream.url);
  const commands = [host.serve, `${host.serve} --isolation request`, host.plain];
  const servers = commands.map((command) => startServer(filled(command), path("")));
  try {
    const [ours, fresh, plain] = servers;
    const speed = { ...(await measure(ours!, plain!, ROUTES)), ...(await measure(fresh!, plain!, FRESH)) };
    results[host.name] = { speed };
  } finally {
    await Promise.all(servers.map(endServer));
    await upstream.stop();
  }
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
process.exit();
