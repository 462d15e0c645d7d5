// Starts a Worker of this repository on local workerd. The only file that knows Miniflare, whose options change
// between major versions; start, the tests and the bench all come through here.

import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { basename } from "node:path";
import { build } from "esbuild";
import { Log, LogLevel, Miniflare } from "miniflare";
import { path, ROOT } from "./paths.ts";

/** The same date as in wrangler.toml: local runs behave as the deployed Worker does. */
export const COMPATIBILITY_DATE = "2026-10-06";

/** The name and flags of worker/upstream.toml. */
const UPSTREAM = "wasm-proactor-upstream";
const UPSTREAM_FLAGS = ["enable_request_signal"];

export interface LocalOptions {
  /** The Worker's entry, relative to the root. The default is the deployed Worker. */
  entry?: string;
  /** 0, the default, takes any free port. */
  port?: number;
  /** What the Worker reads as `env.ISOLATION`. */
  isolation?: "request" | "pooled" | "shared";
  /** The name under which the embedded upstream is bound; `UPSTREAM` if not given. */
  upstream?: string;
  /** An origin that is bound in place of the embedded upstream, such as `http://127.0.0.1:9000`. */
  upstreamOrigin?: string;
  /** Classes of Durable Objects that the entry exports, by the name under which each is bound. */
  durableObjects?: Record<string, string>;
  /** Names of further KV namespaces. */
  kv?: readonly string[];
  /** Further bindings of `env`: texts, numbers, any JSON value. */
  bindings?: Record<string, unknown>;
  /** `.wasm` modules by the specifier that the entry imports them with, instead of files. */
  modules?: Record<string, Uint8Array>;
  compatibilityFlags?: string[];
  /** Called with each line that the Worker or workerd logs; without it they go to the terminal. */
  onLog?: (line: string) => void;
}

export interface Local {
  /** Without a trailing slash, for example `http://localhost:8787`. */
  url: string;
  mf: Miniflare;
  dispose(): Promise<void>;
}

/** Bundles the Worker and starts it with an embedded KV `CACHE` and the embedded upstream `UPSTREAM`. */
export async function startLocal(options: LocalOptions = {}): Promise<Local> {
  const port = options.port ?? 0;
  if (port !== 0) await assertPortIsFree(port);
  const [worker, upstream] = await Promise.all([
    bundleWorker(options.entry ?? "worker/index.ts", options.modules),
    bundleWorker("scripts/upstream.ts"),
  ]);
  const variables = { ...(options.isolation && { ISOLATION: options.isolation }), ...options.bindings };
  const objects = Object.entries(options.durableObjects ?? {});
  const mf = new Miniflare({
    host: "127.0.0.1",
    port,
    // Otherwise Miniflare downloads a sample of `request.cf`.
    cf: false,
    log: new Log(LogLevel.ERROR),
    logRequests: false,
    ...(options.onLog && { handleStructuredLogs: ({ message }) => options.onLog!(message) }),
    workers: [
      {
        config: {
          name: "worker",
          compatibilityDate: COMPATIBILITY_DATE,
          compatibilityFlags: options.compatibilityFlags ?? [],
          manifest: worker,
          exports: Object.fromEntries(objects.map(([, name]) => [name, { type: "durable-object", storage: "sqlite" }])),
          env: {
            ...Object.fromEntries(["CACHE", ...(options.kv ?? [])].map((name) => [name, namespace(name)])),
            [options.upstream ?? "UPSTREAM"]: options.upstreamOrigin
              ? { type: "external", address: new URL(options.upstreamOrigin).host, http: {} }
              : { type: "worker", worker: UPSTREAM },
            ...Object.fromEntries(objects.map(([name, exportName]) => [name, durableObject(exportName)])),
            ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, variable(value)])),
          },
        },
      },
      {
        config: {
          name: UPSTREAM,
          compatibilityDate: COMPATIBILITY_DATE,
          compatibilityFlags: UPSTREAM_FLAGS,
          manifest: upstream,
        },
      },
    ],
  });
  const ready = await mf.ready;
  return { url: `http://localhost:${ready.port}`, mf, dispose: () => mf.dispose() };
}

/** The embedded upstream in the shape that the vitest plugin takes: that of Miniflare's previous major version. */
export async function upstreamForVitest() {
  const { modules } = await bundleWorker("scripts/upstream.ts");
  return {
    name: UPSTREAM,
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: UPSTREAM_FLAGS,
    modules: Object.entries(modules).map(([name, { contents }]) => ({
      type: "ESModule" as const,
      path: name,
      contents,
    })),
  };
}

/** A bundled Worker in Miniflare's shape: one JavaScript module and the WebAssembly modules it imports. */
interface Manifest {
  mainModule: string;
  modulesRoot: string;
  modules: Record<string, { type: "esm" | "wasm"; contents: string | Uint8Array<ArrayBuffer> }>;
}

/** Bundles an entry as wrangler does: JavaScript becomes one module, each imported `.wasm` stays one of its own. */
export async function bundleWorker(entry: string, modules: Record<string, Uint8Array> = {}): Promise<Manifest> {
  const manifest: Manifest = { mainModule: "worker.js", modulesRoot: "/", modules: {} };
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    sourcemap: "inline",
    logLevel: "error",
    plugins: [
      {
        name: "wasm",
        setup({ onResolve }) {
          onResolve({ filter: /\.wasm$/ }, async ({ path: specifier, resolveDir }) => {
            const contents = modules[specifier] ?? (await readFile(path(resolveDir, specifier)));
            const name = `${Object.keys(manifest.modules).length}-${basename(specifier)}`;
            manifest.modules[name] = { type: "wasm", contents: new Uint8Array(contents) };
            return { path: `./${name}`, external: true };
          });
        },
      },
    ],
  });
  manifest.modules["worker.js"] = { type: "esm", contents: outputFiles[0]!.text };
  return manifest;
}

function namespace(name: string) {
  return { type: "kv" as const, id: name.toLowerCase() };
}

function durableObject(exportName: string) {
  return { type: "durable-object" as const, worker: "worker", exportName };
}

function variable(value: unknown) {
  if (typeof value === "string") return { type: "text" as const, value };
  return { type: "json" as const, value: value as never };
}

/** Asked beforehand, as workerd's own message does not say what to do. */
function assertPortIsFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", ({ code, message }: NodeJS.ErrnoException) => {
      const isInUse = code === "EADDRINUSE";
      const why = isInUse ? " is in use; stop what listens there or choose another with --port" : `: ${message}`;
      reject(new Error(`port ${port}${why}`));
    });
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve()));
  });
}
