// Chromium: performs the HTTP suite in a page of a real browser.

import type { Check } from "../../conformance/http/check.ts";
import { launchChromium } from "../../scripts/chromium.ts";
import type { Outcome, Skip } from "../../conformance/http/perform.ts";
import { startPlayground } from "./server.ts";

/** What stands between two outcomes that a page tells and whoever asks for the next. */
class Channel<T> {
  readonly #told: T[] = [];
  #heard: (() => void) | undefined;

  readonly tell = (value: T): void => {
    this.#told.push(value);
    this.#heard?.();
  };

  async next(): Promise<T> {
    while (this.#told.length === 0) await new Promise<void>((resolve) => (this.#heard = resolve));
    return this.#told.shift()!;
  }
}

/** The outcomes, as they come. What needs a socket is skipped. */
export async function* performInPage(checks: readonly Check[], skips: readonly Skip[]): AsyncGenerator<Outcome> {
  const names = checks.map(({ name }) => name);
  const [server, browser] = await Promise.all([startPlayground(0), launchChromium()]);
  try {
    const page = await browser.newPage();
    const outcomes = new Channel<Outcome | undefined>();
    await page.exposeFunction("tellOutcome", outcomes.tell);
    await page.goto(`${server.url}/`);
    await page.addScriptTag({ url: "checks.js", type: "module" });
    const call = "performChecks(...arguments_, (outcome) => tellOutcome(outcome))";
    const performed = page
      .evaluate(`(async () => { const arguments_ = ${JSON.stringify([names, skips])}; await ${call}; })()`)
      .finally(() => outcomes.tell(undefined));
    for (let outcome = await outcomes.next(); outcome; outcome = await outcomes.next()) yield outcome;
    await performed;
    for (const { name, need } of checks) if (need) yield { name, is: "skipped", reason: "a page has no sockets" };
  } finally {
    await browser.close();
    server.destroy();
    await server.stop();
  }
}
