// Upstream: the origin that the routes fetch from, as a server of Node's. `node conformance/http/upstream.ts [--port 0]`
//
// It answers as the Worker of that name does: the same code, behind node:http.

import { parseArgs } from "node:util";
import { listen } from "../../hosts/node/http.ts";
import type { HttpServer } from "../../hosts/serve.ts";
import upstream from "../../scripts/upstream.ts";

export const startUpstream = (port = 0): Promise<HttpServer> => listen(upstream.fetch, { hostname: "127.0.0.1", port });

if (import.meta.main) {
  const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
  console.log(`listening on ${(await startUpstream(Number(values.port))).url}`);
}
