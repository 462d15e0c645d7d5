// Chromium: the browser that is there, for what must run in a real one.

import { existsSync } from "node:fs";
import type { Browser } from "playwright-core";

const PLACES = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:/Program Files/Google/Chrome/Application/chrome.exe",
];

/** Where it is, if it is. */
export const chromiumPath = PLACES.find((place) => place && existsSync(place));

export async function launchChromium(): Promise<Browser> {
  // Who only asks whether there is one needs no package.
  const { chromium } = await import("playwright-core");
  if (!chromiumPath) throw new Error("there is no chromium; install one or name it in CHROMIUM");
  // Chromium's sandbox does not run as root, which is what containers are.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: chromiumPath, args });
}
