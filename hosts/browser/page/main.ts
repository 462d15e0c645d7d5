// Page: buttons on one side, the border on the other.

import { BorderTable } from "./border-table.ts";
import { element } from "./element.ts";
import { PageHost } from "./host.ts";
import { ROUTES } from "./routes.ts";
import type { Route } from "./routes.ts";

const SHOWN_CHARACTERS = 2_000;

const found = (id: string): HTMLElement => document.getElementById(id)!;

const answer = found("answer");
const border = new BorderTable(found("border"));

/** Sends a route's request and shows what becomes of it. */
async function press(host: PageHost, { method, path, body, leavesAfter }: Route): Promise<void> {
  const start = performance.now();
  const signal = leavesAfter === undefined ? {} : { signal: AbortSignal.timeout(leavesAfter) };
  try {
    const response = await host.send(path, { method, ...(body !== undefined && { body }), ...signal });
    const bytes = await response.bytes();
    answer.replaceChildren(...shown(`${method} ${path}`, response, bytes, performance.now() - start));
  } catch (error) {
    const line = element("p", `${method} ${path}: `);
    line.append(element("strong", leavesAfter === undefined ? String(error) : "the client went away", "bad"));
    answer.replaceChildren(line);
  }
  showCounters(host);
}

function shown(title: string, response: Response, bytes: Uint8Array, ms: number): HTMLElement[] {
  const line = element("p", `${title}: `);
  const facts = [
    response.headers.get("content-type"),
    response.headers.get("x-cache"),
    `${bytes.length.toLocaleString("en")} bytes`,
    `${ms.toFixed(1)} ms`,
  ];
  line.append(
    element("strong", `${response.status}`, response.ok ? "good" : "bad"),
    element("span", ` · ${facts.filter(Boolean).join(" · ")}`, "soft"),
  );
  if (bytes.length === 0) return [line];
  const text = new TextDecoder().decode(bytes.subarray(0, SHOWN_CHARACTERS));
  return [line, element("pre", bytes.length > SHOWN_CHARACTERS ? `${text}…` : text)];
}

function showCounters({ counters }: PageHost): void {
  const pairs = Object.entries(counters).map(([name, value]) => {
    const pair = document.createElement("div");
    pair.append(element("dt", name), element("dd", `${value}`));
    return pair;
  });
  found("counters").replaceChildren(...pairs);
}

function buttonFor(host: PageHost, route: Route): HTMLLIElement {
  const { method, path, what } = route;
  const button = document.createElement("button");
  button.type = "button";
  button.append(element("b", method), element("code", path), element("span", what));
  let pressed = 0;
  // It stays usable: several of its requests may be under way.
  button.addEventListener("click", async () => {
    pressed++;
    button.ariaBusy = "true";
    await press(host, route);
    if (--pressed === 0) button.ariaBusy = "false";
  });
  const item = document.createElement("li");
  item.append(button);
  return item;
}

async function main(): Promise<void> {
  const module = await (await fetch("worker.wasm")).arrayBuffer();
  const host = await PageHost.start({ module, store: "playground", onCrossing: border.add });
  found("routes").replaceChildren(...ROUTES.map((route) => buttonFor(host, route)));
  found("clear").addEventListener("click", () => border.clear());
  showCounters(host);
  // What goes on after an answer counts too.
  setInterval(() => showCounters(host), 250);
}

await main();
