// Server: the page and the module as files, and nothing else. All that a request needs is in the page.

import { readFile } from "node:fs/promises";
import { build } from "esbuild";
import { path } from "../../scripts/paths.ts";
import { listen } from "../node/http.ts";
import type { HttpServer } from "../serve.ts";

/** A script for a page, with all that it imports. */
export async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: path(),
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    logLevel: "error",
  });
  return outputFiles[0]!.text;
}

/** Port 0 is any that is free. */
export async function startPlayground(port: number): Promise<HttpServer> {
  const files: Record<string, [type: string, content: string | Uint8Array<ArrayBuffer>]> = {
    "/": ["text/html; charset=utf-8", await readFile(path("hosts/browser/page/index.html"), "utf8")],
    "/style.css": ["text/css; charset=utf-8", await readFile(path("hosts/browser/page/style.css"), "utf8")],
    "/main.js": ["text/javascript; charset=utf-8", await bundled("hosts/browser/page/main.ts")],
    "/checks.js": ["text/javascript; charset=utf-8", await bundled("hosts/browser/page/checks.ts")],
    "/worker.wasm": ["application/wasm", new Uint8Array(await readFile(path("build/worker.wasm")))],
  };
  const answer = async (request: Request): Promise<Response> => {
    const [type, content] = files[new URL(request.url).pathname] ?? [];
    return content
      ? new Response(content, { headers: { "content-type": type! } })
      : new Response(null, { status: 404 });
  };
  return listen(answer, { hostname: "127.0.0.1", port });
}
