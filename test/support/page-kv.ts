// Page KV: stores of a real browser's database, as if they were here. Each call is made in the page, at this clock's time.

import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { startPlayground } from "../../hosts/browser/server.ts";
import type { HttpServer } from "../../hosts/serve.ts";
import { launchChromium } from "../../scripts/chromium.ts";
import { path } from "../../scripts/paths.ts";
import type { Clock, KvStore } from "../../src/index.ts";

/** In the page: what `call` asks for. Bytes travel as numbers. */
const SCRIPT = `import { indexedDbKv } from "./kv.ts";
  const clock = { ms: 0, now: () => clock.ms };
  const stores = new Map();
  const plain = (value) => value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value;
  globalThis.call = async (ms, name, method, args, bytes) => {
    clock.ms = ms;
    if (!stores.has(name)) stores.set(name, await indexedDbKv(name, clock));
    const given = bytes ? [args[0], new Uint8Array(bytes).buffer, args[1]] : args;
    const result = await stores.get(name)[method](...given);
    return result && "value" in result ? { ...result, value: plain(result.value) } : plain(result);
  };`;

const bufferOf = (bytes: unknown): ArrayBuffer | null => (bytes ? new Uint8Array(bytes as number[]).buffer : null);

export class PageKv {
  readonly #browser: Browser;
  readonly #server: HttpServer;
  readonly #page: Page;
  #made = 0;

  private constructor(browser: Browser, server: HttpServer, page: Page) {
    this.#browser = browser;
    this.#server = server;
    this.#page = page;
  }

  static async launch(): Promise<PageKv> {
    const [browser, server, { outputFiles }] = await Promise.all([
      launchChromium(),
      startPlayground(0),
      build({
        stdin: { contents: SCRIPT, resolveDir: path("hosts/browser/page"), loader: "ts" },
        bundle: true,
        write: false,
        format: "iife",
        logLevel: "error",
      }),
    ]);
    const page = await browser.newPage();
    // A database belongs to an address.
    await page.goto(server.url);
    await page.evaluate(outputFiles[0]!.text);
    return new PageKv(browser, server, page);
  }

  /** A new store. */
  make(clock: Pick<Clock, "now">): KvStore {
    const name = `store ${this.#made++}`;
    const call = (method: keyof KvStore, args: readonly unknown[], value?: ArrayBuffer): Promise<unknown> => {
      const bytes = value && [...new Uint8Array(value)];
      return this.#page.evaluate(
        (given) => (globalThis as unknown as { call(...given: unknown[]): Promise<unknown> }).call(...given),
        [clock.now(), name, method, args, bytes],
      );
    };
    return {
      get: async (key, options) => bufferOf(await call("get", [key, options])),
      getWithMetadata: async (key, options) => {
        const { value, metadata } = (await call("getWithMetadata", [key, options])) as {
          value: unknown;
          metadata: unknown;
        };
        return { value: bufferOf(value), metadata };
      },
      put: async (key, value, options) => void (await call("put", [key, options], value)),
      delete: async (key) => void (await call("delete", [key])),
      list: (options) => call("list", [options]) as ReturnType<KvStore["list"]>,
    };
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.destroy();
    await this.#server.stop();
  }
}
