// Load: autocannon in a process of its own, with so many connections that each waits for its answer.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { path } from "../scripts/paths.ts";

export const CONNECTIONS = 32;

/** What a small client sends; each header is one more that the host hands to the guest. */
const HEADERS = ["accept=*/*", "user-agent=autocannon"];

interface Report {
  /** Seconds. */
  duration: number;
  "2xx": number;
  non2xx: number;
  errors: number;
  /** Milliseconds. */
  latency: { p99: number };
}

/** Asks for `url` again and again for `seconds`. Throws if any answer is not a success. */
export async function load(url: string, seconds: number): Promise<{ answers: number; seconds: number; p99: number }> {
  const headers = HEADERS.flatMap((header) => ["-H", header]);
  const args = [`-c${CONNECTIONS}`, `-d${seconds}`, "--json", ...headers, url];
  const { stdout } = await promisify(execFile)(path("node_modules/.bin/autocannon"), args);
  const report = JSON.parse(stdout) as Report;
  if (report.non2xx + report.errors > 0) throw new Error(`${url}: ${report.non2xx} errors, ${report.errors} failures`);
  return { answers: report["2xx"], seconds: report.duration, p99: report.latency.p99 };
}
