// Hosts: those of hosts.json, and whether this machine can run them.

import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromiumPath } from "../scripts/chromium.ts";
import { path } from "../scripts/paths.ts";

export interface HostEntry {
  name: string;
  /** Commands that must be there. */
  needs: string[];
  /** Starts a driver, from the repository's root. */
  driver?: string;
  /** Starts a server; `{module}` and `{upstream}` are filled in. */
  serve?: string;
  /** Starts a plain handler in the host's language, to compare with. */
  plain?: string;
  /** Has no server: the HTTP suite runs inside of its page, as far as it needs no socket. */
  page?: boolean;
  /** Files of cases, and checks of the HTTP suite, that its platform makes impossible, with the reason. */
  skip?: Record<string, string>;
}

/** The host of this name, or every host. */
export function readHosts(name: string): HostEntry[] {
  const hosts = JSON.parse(readFileSync(path("conformance/hosts.json"), "utf8")) as HostEntry[];
  if (name === "all") return hosts;
  const found = hosts.filter((host) => host.name === name);
  if (found.length > 0) return found;
  throw new Error(`there is no host "${name}"; there are ${hosts.map((host) => host.name).join(", ")}, all`);
}

/** Why this machine cannot run the host, if it cannot. */
export function missing({ needs }: HostEntry): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const lacking = needs.filter((need) => {
    if (need === "chromium") return !chromiumPath;
    return need.includes("/") ? !existsSync(path(need)) : !folders.some((folder) => existsSync(join(folder, need)));
  });
  return lacking.length > 0 ? `there is no ${lacking.join(", ")} here` : undefined;
}

/** Says that something could not be run here: on somebody's machine a remark, in CI a failure. */
export function mustRun(): void {
  if (process.env["CI"]) process.exitCode = 1;
}
