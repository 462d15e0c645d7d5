// The playground as a person uses it, in a real headless browser: no server has any part in an answer. The routes themselves
// are checked there by `npm run conformance:http -- --host browser`.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPlayground } from "../../hosts/browser/server.ts";
import type { HttpServer } from "../../hosts/serve.ts";
import { chromiumPath, launchChromium } from "../../scripts/chromium.ts";

if (!chromiumPath) {
  const message = "the playground was not checked: there is no chromium; install one or name it in CHROMIUM";
  if (process.env["CI"]) throw new Error(message);
  console.warn(message);
}

/** Buttons by how their text begins; what the answer is; operations that must have crossed, in this order. */
const EXPECTED: [button: string, answer: RegExp, crossed: string[]][] = [
  ["GET /hello", /: 200 · text\/plain; charset=utf-8 · 5 bytes · .*hello$/, ["→ respond", "← respond"]],
  ["GET /sleep/300", /: 200 .*awake$/, ["→ timer", "← timer", "→ respond"]],
  ["POST /upper", /: 200 .*QUIET PLEASE$/, ["→ read", "← read", "→ respond"]],
  ["PUT /kv/greeting", /: 204 · 0 bytes/, ["→ read", "← read", "→ kv.put", "← kv.put", "→ respond"]],
  ["GET /kv/greeting", /: 200 .*Hello, KV$/, ["→ kv.get", "← kv.get", "→ respond"]],
  ["GET /kv?prefix=gre", /: 200 .*{"keys":\[{"name":"greeting"}\],"cursor":null}$/, ["→ kv.list", "← kv.list"]],
  ["DELETE /kv/greeting", /: 204 /, ["→ kv.delete", "← kv.delete"]],
  ["GET /aggregate?n=5&delay=100", /: 200 .*"took":\d+/, [...Array(5).fill("→ fetch"), ...Array(5).fill("← fetch")]],
  ["GET /page/welcome", /: 200 .* · miss · .*<h1>welcome<\/h1>/, ["→ kv.get", "← kv.get", "→ fetch", "→ kv.put"]],
  ["GET /deadline?timeout=50&delay=500", /: 504 .*"error":"timed-out"/, ["→ fetch", "← fetch TimedOut"]],
  ["GET /proxy/echo", /: 200 .*"method":"GET"/, ["→ fetch", "← fetch", "→ respond"]],
  ["GET /proxy/file?size=20000000", /: 200 .* · 20,000,000 bytes · /, ["→ fetch", "← fetch", "→ respond"]],
  ["GET /proxy/slow?delay=10000", /: the client went away$/, ["→ fetch"]],
  ["GET /nowhere", /: 404 .*"error":"not-found"/, ["→ respond"]],
];

describe.skipIf(!chromiumPath)("playground", () => {
  let server: HttpServer;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    [server, browser] = await Promise.all([startPlayground(0), launchChromium()]);
    page = await (await browser.newContext()).newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => complaints.push(message.text()));
    await page.goto(server.url);
    await page.getByRole("button", { name: "GET /hello" }).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    server?.destroy();
    await server?.stop();
  });

  const buttonOf = (name: string) => page.getByRole("listitem").getByRole("button", { name });

  /** What has crossed since the last request was accepted, without its token. */
  const crossed = (): Promise<string[]> =>
    page
      .getByRole("region")
      .locator("tbody tr")
      .evaluateAll((rows) =>
        rows
          .slice(rows.findLastIndex((row) => row.className === "first") + 1)
          .map((row) => [1, 3, 4].map((cell) => row.children[cell]!.textContent).join(" ")),
      );

  test("begins with what the module submits while it starts", async () => {
    expect(await crossed()).toEqual(["→ accept admitted"]);
  });

  test("asks nobody from now on", () => {
    page.on("request", (request) => complaints.push(request.url()));
  });

  test.for(EXPECTED)("%s: shows the answer, and what crossed the border for it", async ([name, answer, expected]) => {
    await buttonOf(name).click();
    const output = page.getByRole("status", { name: "Answer" });
    // The answer to this button, and no earlier one.
    const begin = name.replaceAll("?", String.raw`\?`);
    await expect.poll(() => output.textContent()).toMatch(new RegExp(`^${begin}${answer.source}`, "s"));
    const lines = await crossed();
    // In this order, whatever else is between.
    let at = 0;
    for (const wanted of expected) {
      at = lines.findIndex((line, index) => index >= at && line.startsWith(wanted)) + 1;
      expect(at, `${wanted}, among ${lines.join(", ")}`).toBeGreaterThan(0);
    }
    expect(await buttonOf(name).getAttribute("aria-busy")).toBe("false");
  });

  test("a client that went away has ended its request, and counts as killed", async () => {
    const counter = (name: string) => page.locator("dl div").filter({ hasText: name }).locator("dd").textContent();
    await expect.poll(() => counter("killed")).toBe("1");
    await expect.poll(() => counter("contexts")).toBe("0");
  });

  test("what is in the store outlives the page", async () => {
    await buttonOf("PUT /kv/greeting").click();
    await expect.poll(() => page.getByRole("status").textContent()).toContain("204");
    const another = await page.context().newPage();
    await another.goto(server.url);
    await another.getByRole("button", { name: "GET /kv/greeting" }).click();
    await expect.poll(() => another.getByRole("status").textContent()).toContain("Hello, KV");
    await another.close();
  });

  test("works by keyboard alone", async () => {
    await page.getByRole("button", { name: "Clear" }).press("Enter");
    expect(await crossed()).toEqual([]);
    await buttonOf("GET /hello").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await expect.poll(() => page.getByRole("status").textContent()).toMatch(/^GET \/sleep\/300: 200/);
    // What overflows is scrolled by keys too.
    await page.getByRole("region", { name: "Across the border" }).focus();
    expect(await page.evaluate("document.activeElement.id")).toBe("border");
  });

  test("fits a narrow screen and a dark one", async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
  });

  test("no script failed, and nothing was asked for", () => {
    expect(complaints).toEqual([]);
  });
});
