// Start page: says what this is and lets a person try each route.

import { Exchange } from "../../assembly/index";

/** GET / */
export function startPage(exchange: Exchange): void {
  exchange.headers
    .append("content-type", "text/html; charset=utf-8")
    .append(
      "content-security-policy",
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:",
    );
  exchange.respond(200, HTML);
}

// Here because AssemblyScript imports no text files. Without a backquote, a backslash or a dollar sign.
const HTML = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wasm-proactor</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; --line: light-dark(#d8dce2, #3a3f47); --soft: light-dark(#5c6470, #9aa3af); --box: light-dark(#f6f7f9, #1d2025);
    --accent: light-dark(#0b57d0, #8ab4f8); --good: light-dark(#146c2e, #6dd58c); --bad: light-dark(#b3261e, #f2b8b5); }
  * { box-sizing: border-box; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 2rem 1rem 4rem; background: light-dark(#fff, #14161a); color: light-dark(#1b1f24, #e6e8eb); }
  h1 { font-size: 1.75rem; margin: 0; }
  h2 { font-size: 1rem; margin: 0; }
  p { margin: .5rem 0; }
  a { color: var(--accent); }
  code, input, pre { font: .875rem/1.5 ui-monospace, monospace; }
  .soft, small { color: var(--soft); }
  ul { list-style: none; margin: 2rem 0 0; padding: 0; }
  li { border-top: 1px solid var(--line); padding: 1rem 0; }
  form { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .5rem; }
  input { flex: 1 1 12rem; min-width: 0; padding: .4rem .6rem; border: 1px solid var(--line); border-radius: 6px; background: var(--box); color: inherit; }
  button { font: 600 .875rem/1.5 system-ui, sans-serif; min-width: 6rem; padding: .4rem 1rem; border: 0; border-radius: 6px; background: var(--accent); color: light-dark(#fff, #14161a); cursor: pointer; }
  button[disabled] { opacity: .5; cursor: wait; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  output { display: block; }
  output > * { margin: .5rem 0 0; }
  .good { color: var(--good); } .bad { color: var(--bad); }
  pre { padding: .6rem .8rem; border-radius: 6px; background: var(--box); white-space: pre-wrap; overflow-wrap: anywhere; max-height: 14rem; overflow: auto; }
</style>
<header>
  <h1>wasm-proactor</h1>
  <p>A completion queue inside a WebAssembly module. The program that answers here is AssemblyScript: it starts
  operations (a fetch, a KV read, a timer) and goes on; the host performs them and hands back completions.</p>
  <p class="soft">Each request below goes to that program; this page came from it too. Change a path and see.</p>
</header>
<main>
  <noscript><p>The buttons need JavaScript. Every route works by <code>curl</code> too.</p></noscript>
  <ul></ul>
</main>
<template>
  <li>
    <h2></h2>
    <form>
      <input name="path" spellcheck="false" autocomplete="off" required>
      <input name="body" spellcheck="false" autocomplete="off">
      <button></button>
    </form>
    <output></output>
  </li>
</template>
<script>
  const BODY_SHOWN = 2000;
  const HEADERS_SHOWN = ["content-type", "content-length", "x-cache", "allow"];
  const ROUTES = [
    ["GET", "/hello", "An answer at once, no I/O"],
    ["PUT", "/kv/greeting", "Write a key", "Hello, KV"],
    ["GET", "/kv/greeting", "Read it"],
    ["GET", "/kv?prefix=gre", "List keys"],
    ["DELETE", "/kv/greeting", "Remove it: reading then is a 404"],
    ["GET", "/aggregate?n=5&delay=100", "Five fetches at once, in the time of one"],
    ["GET", "/page/welcome", "Cache-aside: x-cache is miss, then hit for a minute"],
    ["GET", "/sleep/300", "A timer"],
    ["GET", "/deadline?timeout=50&delay=500", "A fetch that is too slow: 504 after 50 ms, and upstream sees the abort"],
    ["POST", "/upper", "Read the request's body", "quiet please"],
    ["GET", "/proxy/echo", "Forward upstream's response, untouched"],
    ["GET", "/proxy/file?size=20000000", "20 MB that never enter the WebAssembly memory"],
    ["GET", "/nowhere", "Refusals are JSON"],
  ];

  for (const [method, path, what, body] of ROUTES) {
    const item = document.querySelector("template").content.firstElementChild.cloneNode(true);
    const form = item.querySelector("form");
    item.querySelector("h2").textContent = what;
    form.path.value = path;
    form.path.ariaLabel = "Path: " + what;
    if (body === undefined) form.body.remove();
    else { form.body.value = body; form.body.ariaLabel = "Body: " + what; }
    const button = form.querySelector("button");
    button.textContent = method;
    button.ariaLabel = method + " " + path + ": " + what;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      button.disabled = true;
      send(method, form.path.value, form.body && form.body.value)
        .then((nodes) => item.querySelector("output").replaceChildren(...nodes))
        .finally(() => { button.disabled = false; });
    });
    document.querySelector("ul").append(item);
  }

  async function send(method, path, body) {
    const start = performance.now();
    try {
      const response = await fetch(path, { method, body, cache: "no-store" });
      const bytes = await response.arrayBuffer();
      return shown(response, bytes, Math.round(performance.now() - start));
    } catch (error) {
      return [element("p", "bad", String(error))];
    }
  }

  function shown(response, bytes, ms) {
    const status = element("strong", response.ok ? "good" : "bad", (response.status + " " + response.statusText).trim());
    const head = [ms + " ms", bytes.byteLength.toLocaleString("en") + " bytes"];
    for (const name of HEADERS_SHOWN) if (response.headers.has(name)) head.push(name + ": " + response.headers.get(name));
    const line = element("p", "");
    line.append(status, element("small", "", " · " + head.join(" · ")));
    if (bytes.byteLength === 0) return [line];
    const more = bytes.byteLength > BODY_SHOWN ? " …" : "";
    return [line, element("pre", "", new TextDecoder().decode(bytes.slice(0, BODY_SHOWN)) + more)];
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    made.className = className;
    if (text) made.textContent = text;
    return made;
  }
</script>
</html>
`;
