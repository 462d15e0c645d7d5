// The start page as a person uses it, in a real headless browser.

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, launchChromium } from "../../scripts/chromium.ts";
import { startLocal } from "../../scripts/miniflare.ts";
import type { Local } from "../../scripts/miniflare.ts";

if (!chromiumPath) {
  const message = "the page was not checked: there is no chromium; install one or name it in CHROMIUM";
  if (process.env["CI"]) throw new Error(message);
  console.warn(message);
}

/** Buttons by the start of their name, and what shows after a click: status line, then body. */
const EXPECTED: [button: string, status: RegExp, body?: RegExp][] = [
  ["GET /hello", /^200 OK · \d+ ms · 5 bytes · content-type: text\/plain/, /^hello$/],
  ["PUT /kv/greeting", /^204 No Content/],
  ["GET /kv/greeting", /^200 OK/, /^Hello, KV$/],
  ["GET /kv?prefix=gre", /^200 OK/, /^{"keys":\[{"name":"greeting"}\],"cursor":null}$/],
  ["DELETE /kv/greeting", /^204 No Content/],
  [
    "GET /aggregate?n=5&delay=100",
    /^200 OK/,
    /^{"took":\d+,"fetches":\[({"start":\d+,"end":\d+,"status":200},?){5}\]}$/,
  ],
  ["GET /page/welcome", /^200 OK · .*x-cache: miss$/, /<h1>welcome<\/h1>/],
  ["GET /sleep/300", /^200 OK/, /^awake$/],
  ["GET /deadline?timeout=50&delay=500", /^504 Gateway Timeout/, /"error":"timed-out"/],
  ["POST /upper", /^200 OK/, /^QUIET PLEASE$/],
  ["GET /proxy/echo", /^200 OK/, /"method":"GET"/],
  ["GET /proxy/file?size=20000000", /^200 OK · .* · 20,000,000 bytes/, /^0123456789abcde\n.* …$/s],
  ["GET /nowhere", /^404 Not Found/, /"error":"not-found"/],
];

describe.skipIf(!chromiumPath)("start page", () => {
  let local: Local;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    [local, browser] = await Promise.all([startLocal(), launchChromium()]);
    page = await browser.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(local.url) && !request.url().startsWith("data:")) complaints.push(request.url());
    });
    await page.goto(local.url);
  });
  afterAll(() => Promise.all([browser?.close(), local?.dispose()]));

  const entryOf = (button: Locator): Locator => page.getByRole("listitem").filter({ has: button });

  test("says what it is, and names a button for each route", async () => {
    expect(await page.title()).toBe("wasm-proactor");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("wasm-proactor");
    const names = await page.getByRole("button").evaluateAll((all) => all.map((button) => button.ariaLabel));
    expect(names.map((name) => name!.split(": ")[0])).toEqual(EXPECTED.map(([name]) => name));
  });

  test.for(EXPECTED)("%s shows what came back", async ([name, status, body]) => {
    const button = page.getByRole("button", { name: `${name}: ` });
    await button.click();
    const output = entryOf(button).getByRole("status");
    await expect.poll(() => output.textContent()).not.toBe("");
    expect(await output.locator("p").textContent()).toMatch(status);
    expect(await output.locator("pre").allTextContents()).toEqual(body ? [expect.stringMatching(body)] : []);
    expect(await button.isEnabled()).toBe(true);
  });

  test("a path and a body can be changed, and Enter sends them", async () => {
    await page.getByLabel("Body: Read the request's body").fill("straße");
    const path = page.getByLabel("Path: Read the request's body");
    await path.press("Enter");
    const output = page.getByRole("listitem").filter({ has: path }).getByRole("status");
    await expect.poll(() => output.locator("pre").textContent()).toBe("STRASSE");
  });

  test("a request that fails says so", async () => {
    const path = page.getByLabel("Path: A timer");
    await path.fill("http://localhost:1/");
    await path.press("Enter");
    const output = page.getByRole("listitem").filter({ has: path }).getByRole("status");
    await expect.poll(() => output.textContent()).toContain("Failed to fetch");
  });

  test("fits a narrow screen and a dark one", async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.emulateMedia({ colorScheme: "dark" });
    const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(overflow).toBe(0);
  });

  test("no control is without a name, no script failed, nothing came from elsewhere", async () => {
    for (const control of await page.locator("input, button").all()) {
      expect(await control.getAttribute("aria-label")).toBeTruthy();
    }
    expect(complaints).toEqual([]);
  });
});
