// `npm run deploy`: deploys the upstream, then the Worker that is bound to it. Arguments go to wrangler as they are;
// `npm run deploy -- --dry-run` builds and bundles everything without an account or a network.

import { spawnSync } from "node:child_process";
import { path, ROOT } from "./paths.ts";

/** Set here and not in a file: wrangler would hand the contents of a .env to the Worker as bindings. */
const QUIET_WRANGLER = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

/** A binding must name an existing Worker, hence the order. */
const CONFIGS = ["worker/upstream.toml", "wrangler.toml"];

for (const config of CONFIGS) {
  const { status } = spawnSync(
    process.execPath,
    [path("node_modules/wrangler/bin/wrangler.js"), "deploy", "--config", config, ...process.argv.slice(2)],
    { cwd: ROOT, stdio: "inherit", env: { ...process.env, ...QUIET_WRANGLER } },
  );
  if (status !== 0) process.exit(status ?? 1);
}
