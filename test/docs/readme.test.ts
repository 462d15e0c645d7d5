// README.md is executed: a stranger who copies its blocks into a folder gets what it says. So is docs/testing.md, whose
// tests are of the README's guest.

import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startLocal } from "../../scripts/miniflare.ts";
import { path } from "../../scripts/paths.ts";
import { Proactor, kv, origin } from "../../src/index.ts";
import type { OriginGrant } from "../../src/index.ts";
import { memoryKv } from "../../src/node.ts";
import { Page } from "./markdown.ts";

const page = new Page("README.md");
const blocks = [page, new Page("docs/testing.md")].flatMap(({ blocks }) => blocks);
const files = blocks.filter(({ title }) => title !== "");
const guests = files.filter(({ code }) => code.includes("export { run }")).map(({ title }) => title);
const workers = files.filter(({ code }) => code.includes("createWorker")).map(({ title }) => title);
const scripts = files.filter(({ title }) => /(?<!\.test)\.mjs$/.test(title)).map(({ title }) => title);

/** The folder of a stranger: the README's files, and the packages that it says to install. */
const folder = mkdtempSync(join(tmpdir(), "wasm-proactor-readme-"));

beforeAll(async () => {
  for (const { title, code } of files) writeFileSync(join(folder, title), code);
  installPackages();
  await Promise.all(guests.map((file) => compile(file)));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** As npm would: a copy of what this package publishes, and links to what is installed here. */
function installPackages(): void {
  const packages = join(folder, "node_modules");
  mkdirSync(packages);
  for (const name of readdirSync(path("node_modules"))) symlinkSync(path("node_modules", name), join(packages, name));
  const { files: published } = JSON.parse(readFileSync(path("package.json"), "utf8")) as { files: string[] };
  for (const file of ["package.json", ...published].filter((file) => existsSync(path(file)))) {
    cpSync(path(file), join(packages, "wasm-proactor", file), { recursive: true });
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
}

/** Runs a program in the stranger's folder with this Node; its output if it succeeds. */
async function run(script: string, ...argv: string[]): Promise<string> {
  const env = { PATH: process.env["PATH"], HOME: folder, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1" };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, ...argv], { cwd: folder, env });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${script} ${argv.join(" ")}:\n${stdout}${stderr}`, { cause: error });
  }
}

/** The README's own command. For other files than its own without optimising, which takes most of the time. */
function compile(file: string): Promise<string> {
  const command = /^npx asc (app\.ts .*)$/m.exec(page.text)![1]!;
  const argv = command.replaceAll("app.", file.replace(/ts$/, "")).split(" ");
  const target = file === "app.ts" ? [] : ["--target", "debug"];
  return run("node_modules/assemblyscript/bin/asc.js", ...argv, ...target);
}

async function start(guest: string): Promise<Proactor> {
  return Proactor.instantiate(await readFile(join(folder, guest)), { resources: { CACHE: kv(memoryKv()) } });
}

test("readme: every block of code is a file that is run here", () => {
  const loose = blocks.filter(({ language, title }) => /^(ts|js|json|toml)$/.test(language) && title === "");
  expect(loose.map(({ code }) => code)).toEqual([]);
  expect(new Set(files.map(({ title }) => title)).size).toBe(files.length);
  expect([guests, workers, scripts].every((list) => list.length > 0)).toBe(true);
});

test("readme: the host's side passes tsc in strict mode", async () => {
  const common = { target: "ES2022", module: "NodeNext", strict: true, exactOptionalPropertyTypes: true, noEmit: true };
  const types = ["@cloudflare/workers-types"];
  const config = { compilerOptions: { ...common, lib: ["ES2022"], types }, files: [...workers, "wasm.d.ts"] };
  cpSync(path("worker/wasm.d.ts"), join(folder, "wasm.d.ts"));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  expect(await run("node_modules/typescript/bin/tsc", "-p", "tsconfig.json")).toBe("");
});

test("readme: what runs in Node passes tsc", async () => {
  const compilerOptions = { target: "ES2022", module: "NodeNext", allowJs: true, checkJs: true, noEmit: true };
  const config = {
    compilerOptions: { ...compilerOptions, lib: ["ES2022", "DOM"], types: ["node"], skipLibCheck: true },
    files: scripts,
  };
  writeFileSync(join(folder, "tsconfig.node.json"), JSON.stringify(config));
  expect(await run("node_modules/typescript/bin/tsc", "-p", "tsconfig.node.json")).toBe("");
});

test("readme: its tests pass", async () => {
  const output = await run("--test");
  expect(output).toMatch(/^# fail 0$|^ℹ fail 0$/m);
  expect(output).not.toMatch(/^(#|ℹ) pass 0$/m);
});

test("readme: the example for Node answers", async () => {
  // Its upstream does not exist, and the guest says so.
  expect(await run("server.mjs")).toMatch(/^50[24] upstream failed$/m);
});

test("readme: the two values that are read at once are answered together", async () => {
  const store = memoryKv();
  await store.put("salt", bytes("white"), {});
  await store.put("pepper", bytes("black"), {});
  const module = await readFile(join(folder, "two-at-once.wasm"));
  const app = await Proactor.instantiate(module, { resources: { CACHE: kv(store) } });
  const response = await app.fetch(new Request("http://localhost/"));
  expect(await response.text()).toBe("white and black");
  await store.delete("pepper");
  expect((await app.fetch(new Request("http://localhost/"))).status).toBe(404);
});

test("readme: an idle instance has one operation in flight, its accept", async () => {
  const app = await start("careful.wasm");
  await app.fetch(new Request("http://localhost/note"));
  expect(app.counters).toMatchObject({ contexts: 0, inFlight: 1, instances: 1 });
});

test("readme: the careful guest answers each failure", async () => {
  const app = await start("careful.wasm");
  const put = (body: string) => app.fetch(new Request("http://localhost/note", { method: "PUT", body }));
  expect((await put("a note")).status).toBe(204);
  expect((await put("")).status).toBe(204);
  expect((await put("a".repeat(1001))).status).toBe(413);
  const refused = await app.fetch(new Request("http://localhost/note"));
  expect([refused.status, refused.headers.get("allow")]).toEqual([405, "PUT"]);
});

test("readme: with its asconfig.json a guest has a console, a clock and random numbers", async () => {
  const code = `
    import { Exchange, serve } from "wasm-proactor";
    export { run } from "wasm-proactor";
    serve((exchange: Exchange) => {
      console.log("asked");
      const jitter = <i64>(Math.random() * 1000);
      exchange.respond(200, (Date.now() + jitter).toString());
    });`;
  writeFileSync(join(folder, "clock.ts"), code);
  await compile("clock.ts");
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const app = await start("clock.wasm");
  const response = await app.fetch(new Request("http://localhost/"));
  log.mockRestore();
  expect(Math.abs(Number(await response.text()) - Date.now())).toBeLessThan(60_000);
});

test("readme: with the path that it gives, a package that is a link to another folder compiles", async () => {
  const project = join(folder, "linked");
  const packages = join(project, "node_modules");
  mkdirSync(packages, { recursive: true });
  symlinkSync(path("node_modules/@assemblyscript"), join(packages, "@assemblyscript"));
  symlinkSync(path(""), join(packages, "wasm-proactor"));
  const [, line] = /`("extends": "\.[^`]*")`/.exec(page.text)!;
  writeFileSync(join(project, "asconfig.json"), `{ ${line} }`);
  const { code } = files.find(({ title }) => title === "app.ts")!;
  writeFileSync(join(project, "app.ts"), `${code}\nconsole.log("needs the WASI library");\n`);
  const compiling = ["app.ts", "--baseDir", project, "--config", join(project, "asconfig.json")];
  await run("node_modules/assemblyscript/bin/asc.js", ...compiling, "--outFile", "app.wasm", "--target", "debug");
  const module = await WebAssembly.compile(await readFile(join(project, "app.wasm")));
  expect(WebAssembly.Module.imports(module).map(({ name }) => name)).toContain("fd_write");
});

test.for(workers)("readme: %s serves on local workerd", async (worker) => {
  const local = await startLocal({ entry: join(folder, worker), upstream: "PAGES", kv: ["USERS"] });
  try {
    const cache = await local.mf.getKVNamespace("CACHE");
    await cache.put("/page", "from KV");
    const response = await fetch(`${local.url}/page`);
    expect([response.status, await response.text()]).toEqual([200, "from KV"]);
  } finally {
    await local.dispose();
  }
});

/** An origin that answers each request with its URL. */
function playing(name: string): OriginGrant {
  const fetch = async (url: string): Promise<Response> => new Response(`${name}: ${url}`);
  return origin(`https://${name}.example.com`, { fetcher: { fetch } });
}

test("readme: two namespaces and two origins are reached by their names", async () => {
  const stores = [memoryKv(), memoryKv()] as const;
  await stores[0].put("/page", bytes("from CACHE"), {});
  await stores[1].put("/users/1", bytes("from USERS"), {});
  const resources = { CACHE: kv(stores[0]), USERS: kv(stores[1]), API: playing("api"), IMAGES: playing("images") };
  const app = await Proactor.instantiate(await readFile(join(folder, "two-of-each.wasm")), { resources });
  const get = async (path: string): Promise<string> => (await app.fetch(new Request(`http://localhost${path}`))).text();
  expect(await get("/page")).toBe("from CACHE");
  expect(await get("/users/1")).toBe("from USERS");
  expect(await get("/api/a")).toBe("api: https://api.example.com/api/a");
  expect(await get("/images/b")).toBe("images: https://images.example.com/images/b");
});

test("readme: wrangler takes its files", async () => {
  const output = await run("node_modules/wrangler/bin/wrangler.js", "deploy", "--dry-run", "--outdir", "deployed");
  expect(output).toMatch(/--dry-run: exiting now/);
  expect(output).toMatch(/env\.CACHE .*KV Namespace/);
});

function bytes(text: string): ArrayBuffer {
  return new TextEncoder().encode(text).buffer;
}
