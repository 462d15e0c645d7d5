// The package as a stranger gets it: packed, installed in an empty folder, compiled against, run and type-checked.
// Nothing comes from the network: what it depends on is packed from what is installed here.

import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import { path } from "../../scripts/paths.ts";
import { Page } from "../docs/markdown.ts";

const readme = new Page("README.md");
const manifest = JSON.parse(readFileSync(path("package.json"), "utf8")) as {
  name: string;
  exports: Record<string, unknown>;
  dependencies: Record<string, string>;
};

interface Tarball {
  filename: string;
  unpackedSize: number;
  files: { path: string }[];
}

/** The folder of a stranger. */
const folder = mkdtempSync(join(tmpdir(), "wasm-proactor-package-"));
let tarball: Tarball;

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program in the stranger's folder; its output if it succeeds. */
async function run(program: string, ...argv: string[]): Promise<string> {
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    // Neither a registry nor what this machine keeps of one may be needed.
    npm_config_registry: "http://localhost:1",
    npm_config_cache: join(folder, "cache"),
    npm_config_update_notifier: "false",
  };
  try {
    const { stdout } = await promisify(execFile)(program, argv, { cwd: folder, env });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${basename(program)} ${argv.join(" ")}:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Packs what lies in a folder of this repository. */
async function pack(at: string): Promise<Tarball> {
  const [packed] = JSON.parse(
    await run("npm", "pack", path(at), "--json", "--silent", "--ignore-scripts"),
  ) as Tarball[];
  return packed!;
}

/** Makes a package of this repository's node_modules available, as `npm install` would. */
function link(name: string): void {
  const at = join(folder, "node_modules", name);
  if (existsSync(at)) return;
  mkdirSync(dirname(at), { recursive: true });
  symlinkSync(path("node_modules", name), at);
}

beforeAll(async () => {
  writeFileSync(join(folder, "package.json"), '{ "name": "stranger", "private": true, "type": "module" }');
  tarball = await pack("");
  const needed = await Promise.all(Object.keys(manifest.dependencies).map((name) => pack(`node_modules/${name}`)));
  const files = [tarball, ...needed].map(({ filename }) => join(folder, filename));
  await run("npm", "install", "--offline", "--no-audit", "--no-fund", "--silent", ...files);
  // What else the README says to install.
  for (const name of ["assemblyscript", "@assemblyscript/wasi-shim", "@cloudflare/workers-types", "@types/node"])
    link(name);
  for (const file of ["app.ts", "worker.ts", "asconfig.json"]) {
    writeFileSync(join(folder, file), readme.block(file).code);
  }
  const asc = path("node_modules/assemblyscript/bin/asc.js");
  const [, command] = /^npx asc (app\.ts .*)$/m.exec(readme.text)!;
  await run(process.execPath, asc, ...command!.split(" "));
});

test("package: holds both halves, the docs and the licence, and nothing else", () => {
  const files = tarball.files.map(({ path }) => path);
  const folders = new Set(files.map((file) => (file.includes("/") ? file.slice(0, file.indexOf("/")) : file)));
  const pages = ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md"];
  expect([...folders].toSorted()).toEqual([
    ...pages,
    "assembly",
    "dist",
    "docs",
    "include",
    "index.ts",
    "package.json",
    "src",
    "tools",
  ]);
  expect(files.filter((file) => /(^|\/)(test|bench|node_modules)\/|(^|\/)\./.test(file))).toEqual([]);
  for (const file of ["assembly/index.ts", "assembly/abi.ts", "assembly/asconfig.json", "dist/index.js", "LICENSE"]) {
    expect(files).toContain(file);
  }
  // A sixth is the page of performance, with its pictures. The samples behind it stay in the repository.
  expect(files).not.toContain("docs/performance.json");
  expect(tarball.unpackedSize).toBeLessThan(1_400_000);
});

/** The files that a part of the manifest's `exports` names. */
function targets(entry: unknown): string[] {
  return typeof entry === "string" ? [entry] : Object.values(entry as object).flatMap(targets);
}

test("package: every entry of its manifest is there", () => {
  const files = new Set(tarball.files.map(({ path }) => path));
  for (const target of targets(manifest.exports)) expect(files).toContain(target.replace("./", ""));
});

test("package: publint has nothing to say about the tarball", async () => {
  const { buffer } = new Uint8Array(readFileSync(join(folder, tarball.filename)));
  const { messages } = await publint({ pack: { tarball: buffer }, strict: true });
  expect(messages).toEqual([]);
});

test("package: the README's guest answers in Node, through the installed package alone", async () => {
  writeFileSync(
    join(folder, "serve.js"),
    `import { readFile } from "node:fs/promises";
     import { Proactor, kv, origin } from "wasm-proactor";
     import { fileKv, memoryKv } from "wasm-proactor/node";
     import { Simulation } from "wasm-proactor/testing";

     const module = await WebAssembly.compile(await readFile("app.wasm"));
     const get = async (app, path) => {
       const response = await app.fetch(new Request("http://localhost" + path));
       console.log(response.status, await response.text());
     };
     for (const store of [memoryKv(), await fileKv("kv.sqlite")]) {
       await store.put("/page", new TextEncoder().encode("from KV").buffer, {});
       const api = origin("https://api.example.com", { fetcher: { fetch: async (url) => new Response(url) } });
       const app = await Proactor.instantiate(module, { resources: { CACHE: kv(store), API: api } });
       await get(app, "/page");
       await get(app, "/other");
     }
     const world = new Simulation({ delay: [600, 600] });
     const resources = { CACHE: world.kv(), API: world.origin("https://api.example.com", () => new Response()) };
     const app = new Proactor(module, { resources, clock: world.clock });
     const response = await world.run(app.fetch(new Request("http://localhost/slow")));
     console.log(response.status, world.clock.now());
    `,
  );
  expect((await run(process.execPath, "serve.js")).trim().split("\n")).toEqual([
    "200 from KV",
    "200 https://api.example.com/other",
    "200 from KV",
    "200 https://api.example.com/other",
    // The read took 600 ms, the fetch was given 500.
    "504 1100",
  ]);
});

test("package: the README's guest answers in workerd, through the installed package alone", async () => {
  const local = await startLocal({ entry: join(folder, "worker.ts") });
  try {
    const cache = await local.mf.getKVNamespace("CACHE");
    await cache.put("/page", "from KV");
    const response = await fetch(`${local.url}/page`);
    expect([response.status, await response.text()]).toEqual([200, "from KV"]);
  } finally {
    await local.dispose();
  }
});

const USES: Record<string, string> = {
  "wasm-proactor": `
    import { DEFAULT_LIMITS, ModuleError, Proactor, formatReport, kv, origin } from "wasm-proactor";
    import type { ErrorReport, Grants, Isolation, KvStore, Limits, ProactorOptions } from "wasm-proactor";
    const grants: Grants = { API: origin(["https://api.example.com"]) };
    const isolation: Isolation = "shared";
    const options: ProactorOptions = { resources: grants, isolation, limits: { inFlight: DEFAULT_LIMITS.inFlight } };
    const app: Promise<Proactor> = Proactor.instantiate(new Uint8Array(8), options);
    export const response: Promise<Response> = app.then((app) => app.fetch(new Request("http://localhost/")));
    export const grant = (store: KvStore) => kv(store, { rights: ["read"] });
    export const line = (report: ErrorReport): string => formatReport(report) + (report.cause instanceof ModuleError);
    export const limits: Partial<Limits> = {};
    // @ts-expect-error -- there is no such right
    export const wrong = (store: KvStore) => kv(store, { rights: ["delete"] });
    // @ts-expect-error -- there is no such isolation
    export const none: Isolation = "none";`,
  "wasm-proactor/cloudflare": `
    import { createWorker, kv, origin } from "wasm-proactor/cloudflare";
    interface Env { CACHE: KVNamespace; UPSTREAM: Fetcher }
    declare const app: WebAssembly.Module;
    const worker = createWorker(app, (env: Env) => ({
      CACHE: kv(env.CACHE),
      UPSTREAM: origin("http://upstream.internal", { fetcher: env.UPSTREAM }),
    }), { isolation: "pooled" });
    export default worker satisfies ExportedHandler<Env>;`,
  "wasm-proactor/node": `
    import { fileKv, memoryKv } from "wasm-proactor/node";
    import { kv } from "wasm-proactor";
    export const grants = { A: kv(memoryKv()), B: fileKv("kv.sqlite").then((store) => kv(store)) };`,
  "wasm-proactor/testing": `
    import { Random, Simulation, VirtualClock, memoryKv } from "wasm-proactor/testing";
    const world = new Simulation({ seed: 1, delay: [1, 2], faults: { network: 0.5 } });
    export const clock: VirtualClock = world.clock;
    export const open: number = world.openBodies;
    export const store = world.kv({ store: memoryKv(world.clock), rights: ["read", "list"] });
    export const api = world.origin("https://api.test", (request: Request) => new Response(request.url));
    export const random: boolean = new Random(1).chance(0.5);`,
  "wasm-proactor/watch": `
    import { watchHandlers } from "wasm-proactor/watch";
    import type { ProactorOptions } from "wasm-proactor";
    const instantiate = watchHandlers({ ms: 20, onSlow: ({ handler, ms }) => console.warn(handler, ms) });
    export const options: ProactorOptions = { instantiate };`,
  "wasm-proactor/fiber": `
    import { jspi } from "wasm-proactor/fiber";
    import type { ProactorOptions } from "wasm-proactor";
    export const options: ProactorOptions = { instantiate: jspi() };`,
  "wasm-proactor/asyncify": `
    import { asyncify } from "wasm-proactor/asyncify";
    export const wasm: Uint8Array = asyncify(new Uint8Array(8));`,
};

/** What a program has around it in Workers, and in Node or a browser. */
const WORLDS = {
  cloudflare: { lib: ["ES2022"], types: ["@cloudflare/workers-types"] },
  web: { lib: ["ES2022", "DOM"], types: [] },
};

test("package: its entries are those that are checked here", () => {
  const entries = Object.keys(manifest.exports).filter((entry) => !/\.js(?:on)?$/.test(entry));
  expect(Object.keys(USES)).toEqual(entries.map((entry) => entry.replace(".", manifest.name)));
});

test.for([
  ["NodeNext", "NodeNext"],
  ["ESNext", "Bundler"],
])(
  "package: its types pass a strict tsc that skips no library, module %s, resolution %s",
  async ([module, resolution]) => {
    const strict = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
    };
    await Promise.all(
      Object.entries(USES).map(async ([entry, code]) => {
        const name = `${basename(entry)}-${resolution}`;
        const world = WORLDS[entry.endsWith("cloudflare") ? "cloudflare" : "web"];
        const options = { target: "ES2022", module, moduleResolution: resolution, noEmit: true, ...strict, ...world };
        writeFileSync(join(folder, `${name}.ts`), code);
        writeFileSync(
          join(folder, `${name}.json`),
          JSON.stringify({ compilerOptions: options, files: [`${name}.ts`] }),
        );
        expect(await run(process.execPath, path("node_modules/typescript/bin/tsc"), "-p", `${name}.json`)).toBe("");
      }),
    );
  },
);

test("package: the README's guest passes tsc with the configuration for editors, and a wrong one does not", async () => {
  const guest = join(folder, "guest");
  const [configuration] = /\{ "extends": "wasm-proactor\/tsconfig\.json" \}/.exec(readme.text)!;
  mkdirSync(guest);
  writeFileSync(join(guest, "tsconfig.json"), configuration);
  cpSync(join(folder, "app.ts"), join(guest, "app.ts"));
  const tsc = path("node_modules/typescript/bin/tsc");
  expect(await run(process.execPath, tsc, "-p", "guest")).toBe("");
  writeFileSync(join(guest, "wrong.ts"), 'import { kv } from "wasm-proactor";\nkv("CACHE").gett("key");\n');
  await expect(run(process.execPath, tsc, "-p", "guest")).rejects.toThrow(/wrong\.ts.*gett/);
});

test("package: the README's Worker passes tsc in the Workers' world", async () => {
  cpSync(path("worker/wasm.d.ts"), join(folder, "wasm.d.ts"));
  const options = { target: "ES2022", module: "ESNext", moduleResolution: "Bundler", noEmit: true, strict: true };
  writeFileSync(
    join(folder, "worker.json"),
    JSON.stringify({ compilerOptions: { ...options, ...WORLDS.cloudflare }, files: ["worker.ts", "wasm.d.ts"] }),
  );
  expect(await run(process.execPath, path("node_modules/typescript/bin/tsc"), "-p", "worker.json")).toBe("");
});
