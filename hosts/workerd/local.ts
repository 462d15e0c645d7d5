// Local: one of this repository's Workers on local workerd. What it is granted is written in the Worker, as the platform
// has it, so the flags may only say the same.

import { readFile } from "node:fs/promises";
import { startLocal } from "../../scripts/miniflare.ts";
import type { LocalOptions } from "../../scripts/miniflare.ts";
import { command } from "../command.ts";
import { BadUse } from "../flags.ts";
import type { Flags } from "../flags.ts";

/** How a Worker of this repository imports its guest. */
const GUEST = "../build/worker.wasm";

export function serveWorker(options: LocalOptions): Promise<void> {
  return command(async (flags) => {
    const [upstreamOrigin] = checkedGrants(flags);
    const contents = await readFile(flags.module);
    if (!WebAssembly.validate(contents)) throw new BadUse(`${flags.module} is no module`);
    const local = await startLocal({
      ...options,
      modules: { [GUEST]: contents },
      port: flags.port,
      isolation: flags.isolation,
      ...(upstreamOrigin && { upstreamOrigin }),
    });
    return { url: local.url.replace("localhost", "127.0.0.1"), end: () => local.dispose() };
  });
}

function checkedGrants({ kv, origins }: Flags): readonly string[] {
  const { CACHE, ...otherKv } = kv;
  const { UPSTREAM = [], ...otherOrigins } = origins;
  const other = Object.keys({ ...otherKv, ...otherOrigins });
  if (other.length > 0) throw new BadUse(`${other.join(", ")}: the Worker has bindings for CACHE and UPSTREAM`);
  if (CACHE?.path || CACHE?.rights) throw new BadUse("CACHE is in memory here, with all rights");
  if (UPSTREAM.length > 1) throw new BadUse("UPSTREAM is one origin here");
  return UPSTREAM;
}
