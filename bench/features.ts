// Features: what each adds to a guest, in bytes. Each is one line more in the smallest guest that reads from KV.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { GuestJob, GuestResult } from "../scripts/asc-worker.ts";
import { path } from "../scripts/paths.ts";
import { gzipped } from "../scripts/size.ts";

export interface FeatureSize {
  what: string;
  raw: number;
  gzip: number;
}

const THEN = "then(exchange, (exchange, value) => { exchange.respond(200, value.message()); })";

/** What a handler does with a KV read, by the name of what it shows. The first is what all others are compared with. */
const FEATURES: [feature: string, code: string, declarations?: string][] = [
  ["submit(handler)", `cache.get("a").submit(new Answer(exchange));`, "handler"],
  ["then(context, fn)", `cache.get("a").${THEN};`],
  ["timeout of one operation", `cache.get("a").timeout(5).${THEN};`],
  ["delay, the first composite", `cache.get("a").delay(5).${THEN};`],
  ["gather", `gather<KvValue>([cache.get("a"), cache.get("b")]).${THEN};`],
  ["race", `race<KvValue>([cache.get("a"), cache.get("b")]).${THEN};`],
  ["sequence", `sequence<KvValue>([cache.get("a"), cache.get("b")]).${THEN};`],
  ["retry", `cache.get("a").retry(policy).${THEN};`, "const policy = new RetryPolicy(3);"],
  ["retry with jitter", `cache.get("a").retry(policy).${THEN};`, "const policy = new RetryPolicy(3).jitter(0.5);"],
  ["fallback", `cache.get("a").fallback(cache.get("b")).${THEN};`],
  ["hedge", `cache.get("a").hedge(5).${THEN};`],
  ["ensure", `cache.get("a").ensure((value) => value.found).${THEN};`],
  ["map", `cache.get("a").map<string>((value) => value.text()).${THEN};`],
  ["limit", `cache.get("a").limit(gate).${THEN};`, "const gate = new Gate(2);"],
  ["scope of an exchange", `cache.get("a").within(exchange.scope).${THEN};`],
  ["single flight", `flights.share("a", cache.get("a")).${THEN};`, "const flights = new SingleFlight<KvValue>();"],
  ["channel", `numbers.receive().${THEN}; numbers.send(1).submit();`, "const numbers = new Channel<i32>(1);"],
  ["slices", `slices(exchange, (exchange) => exchange.resource > 1).${THEN};`],
  ["task", `new Two().${THEN};`, "task"],
  [
    "fiber, for JSPI",
    `fiber(exchange, (exchange) => { cache.get("a").await(); exchange.respond(200, ""); }).submit();`,
  ],
];

const HANDLER = `class Answer extends CompletionHandler {
  constructor(private exchange: Exchange) { super(); }
  onComplete(completion: Completion): void { this.exchange.respond(200, completion.message()); }
}`;
const TASK = `class Two extends Task<string> {
  resume(completion: Completion): void {
    if (this.step == 0) return this.next(cache.get("a"), 1);
    if (this.step == 1) return this.next(cache.get("b"), 2);
    this.done(completion.message());
  }
}`;

const IMPORTS = [
  "Channel, Completion, CompletionHandler, Exchange, Gate, KvValue, RetryPolicy, SingleFlight, Task",
  "fiber, gather, kv, race, sequence, serve, slices",
];

function sourceOf(code: string, declarations = ""): string {
  const declared = { handler: HANDLER, task: TASK }[declarations] ?? declarations;
  return `import { ${IMPORTS.join(", ")} } from "wasm-proactor";
export { run${code.includes("fiber(") ? ", run_fiber" : ""} } from "wasm-proactor";
const cache = kv("CACHE");
${declared}
serve((exchange: Exchange) => { ${code} });
`;
}

/** Compiles them all. */
export async function measureFeatures(): Promise<FeatureSize[]> {
  const compiler = new Worker(new URL("../scripts/asc-worker.ts", import.meta.url));
  const sizes: FeatureSize[] = [];
  for (const [feature, code, declarations] of FEATURES) {
    const entry = "examples/feature.ts";
    const job: GuestJob = {
      entry,
      outFile: "build/bench/feature.wasm",
      argv: ["--config", "examples/asconfig.json", "--target", "release"],
      asyncified: code.includes("fiber("),
      patches: { [path(entry)]: sourceOf(code, declarations) },
    };
    compiler.postMessage(job);
    const [{ wasm, asyncified, diagnostics }] = (await once(compiler, "message")) as [GuestResult];
    if (!wasm) throw new Error(`${feature} does not compile:\n${diagnostics}`);
    sizes.push(sizeOf(feature, wasm));
    if (asyncified) sizes.push(sizeOf("fiber, through Asyncify", asyncified));
  }
  await compiler.terminate();
  return sizes;
}

function sizeOf(what: string, bytes: Uint8Array): FeatureSize {
  return { what, raw: bytes.byteLength, gzip: gzipped(bytes) };
}
