// Inside the Workers runtime itself, where the contexts are real: the deployed Worker, and the host library by itself.

import { env, exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import module from "../../build/test/size.wasm";
import { createWorker } from "../../src/cloudflare.ts";
import { Proactor, kv, origin } from "../../src/index.ts";
import type { ErrorReport, KvStore } from "../../src/index.ts";

const { CACHE } = env as unknown as { CACHE: KvStore };
const worker = (exports as unknown as { default: { fetch(url: string, init?: RequestInit): Promise<Response> } })
  .default;

test("workerd: the Worker answers, with I/O and without", async () => {
  expect(await (await worker.fetch("http://localhost/hello")).text()).toBe("hello");
  expect((await worker.fetch("http://localhost/kv/inside", { method: "PUT", body: "value" })).ok).toBe(true);
  expect(await (await worker.fetch("http://localhost/kv/inside")).text()).toBe("value");
});

test("workerd: a request that streams past the guest has its upstream's headers", async () => {
  const response = await worker.fetch("http://localhost/proxy/cookies");
  expect(response.headers.getSetCookie()).toHaveLength(2);
  await response.body?.cancel();
});

test("workerd: requests that overlap are each answered with their own", async () => {
  const keys = Array.from({ length: 50 }, (_, index) => `overlap-${index}`);
  await Promise.all(keys.map((key) => CACHE.put(key, new TextEncoder().encode(key).buffer as ArrayBuffer, {})));
  const answers = keys.map(async (key) => (await worker.fetch(`http://localhost/kv/${key}`)).text());
  expect(await Promise.all(answers)).toEqual(keys);
});

test.for(["request", "pooled", "shared"] as const)(
  "workerd: nothing is left after a request, isolation %s",
  async (isolation) => {
    const reports: ErrorReport[] = [];
    const fetcher = { fetch: async () => new Response("from upstream") };
    const resources = { CACHE: kv(CACHE), API: origin("https://api.example.com", { fetcher }) };
    const app = new Proactor(module, { resources, isolation, onError: (report) => reports.push(report) });
    const response = await app.fetch(new Request("http://localhost/missing"));
    expect([response.status, await response.text()]).toEqual([200, "from upstream"]);
    const instances = isolation === "request" ? 0 : 1;
    expect(app.counters).toMatchObject({ contexts: 0, inFlight: instances, instances, traps: 0 });
    expect(reports).toEqual([]);
  },
);

test("workerd: nothing is compiled at run time, and the error says what to do instead", async () => {
  await expect(Proactor.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))).rejects.toThrow(
    /import the \.wasm/,
  );
  expect(() => createWorker("app.wasm" as never, () => ({}))).toThrow(/import app from/);
});
