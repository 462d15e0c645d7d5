// Hosts: requests per second and p99 of each host beside a plain handler in its own language, behind the same server.
//
// Both run all the time and are asked in turn, in slices, so that whatever else the machine does falls upon both. The load
// comes from the same machine: only the ratio means something.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { missing, readHosts } from "../conformance/hosts.ts";
import { endServer, startServer } from "../conformance/http/server.ts";
import { startUpstream } from "../conformance/http/upstream.ts";
import type { Speed } from "../conformance/portability.ts";
import { path } from "../scripts/paths.ts";
import { load } from "./load.ts";

const HELP = `Requests per second and p99 of each host, beside a plain handler in its language.

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
const [slices, seconds] = [Number(values.slices), Number(values.seconds)];

const ROUTES = { hello: "/hello", "one KV read": "/kv/bench", "aggregate of 5": "/aggregate?n=5&delay=0" };
/** What it costs to make an instance for each request, and to compile nothing for it. */
const FRESH = { "hello, each in a fresh instance": "/hello" };

type Slice = Awaited<ReturnType<typeof load>>;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function measure(host: string, plain: string, routes: Record<string, string>): Promise<Record<string, Speed>> {
  const speeds: Record<string, Speed> = {};
  for (const url of [host, plain])
    await fetch(`${url}/kv/bench`, { method: "PUT", body: "a value of thirty bytes or so" });
  for (const [route, at] of Object.entries(routes)) {
    const [ours, plains]: [Slice[], Slice[]] = [[], []];
    for (let slice = 0; slice <= slices; slice++) {
      ours.push(await load(`${host}${at}`, seconds));
      plains.push(await load(`${plain}${at}`, seconds));
    }
    // The first of each has warmed up.
    ours.shift();
    plains.shift();
    const rate = (all: Slice[]): number => median(all.map(({ answers, seconds }) => answers / seconds));
    const p99 = (all: Slice[]): number => median(all.map(({ p99 }) => p99));
    speeds[route] = { perSecond: rate(ours), p99: p99(ours), plainPerSecond: rate(plains), plainP99: p99(plains) };
    const { perSecond, plainPerSecond } = speeds[route];
    const ratios = ours.map((slice, index) => slice.answers / plains[index]!.answers).toSorted((a, b) => a - b);
    console.log(
      `  ${route.padEnd(16)} ${perSecond.toFixed(0)}/s, plain ${plainPerSecond.toFixed(0)}/s, ` +
        `× ${(perSecond / plainPerSecond).toFixed(2)} (${ratios[0]!.toFixed(2)} to ${ratios.at(-1)!.toFixed(2)})`,
    );
  }
  return speeds;
}

if (values.help) {
  console.log(HELP);
  process.exit();
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
    const [ours, fresh, plain] = await Promise.all(servers.map(({ url }) => url));
    const speed = { ...(await measure(ours!, plain!, ROUTES)), ...(await measure(fresh!, plain!, FRESH)) };
    results[host.name] = { speed };
  } finally {
    await Promise.all(servers.map(endServer));
    await upstream.stop();
  }
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
process.exit();
