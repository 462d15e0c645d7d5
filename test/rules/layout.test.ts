// Who may import whom. The picture is in CONTRIBUTING.md; each failure prints the mend.

import { expect, test } from "vitest";
import { filesOf, importsOf, textOf, withoutComments, withoutCommentsAndStrings, withoutExtension } from "./sources.ts";
import type { Import } from "./sources.ts";

const ABI = "assembly/abi";
/** What the host's operations are written with. */
const TOOLS = new Set([
  "src/completion",
  "src/failure",
  "src/granted-url",
  "src/memory",
  "src/pairs",
  "src/read-body",
  "src/resource",
]);
const ADAPTERS = ["src/cloudflare.ts", "src/node.ts"];

/** Fails with one line for each import of these files that the rule objects to. */
function forbid(files: string[], objection: (used: Import, file: string) => string | false): void {
  const mends = files.flatMap((file) =>
    importsOf(file).flatMap((used) => {
      const mend = objection(used, file);
      return mend ? [`${file} imports ${used.specifier}: ${mend}`] : [];
    }),
  );
  expect(mends.join("\n")).toBe("");
}

const isIn = (folder: string, target: string | null): boolean => target !== null && target.startsWith(`${folder}/`);

test("abi: assembly/abi.ts imports nothing", () => {
  filesOf("assembly");
  forbid(["assembly/abi.ts"], () => "move what needs it to another file; abi.ts holds only numbers");
});

test("border: the host reads assembly/abi and nothing else of the guest", () => {
  forbid(filesOf("src"), ({ target }) => {
    if (target === null || isIn("src", target) || target === ABI) return false;
    return "a fact of both halves belongs into assembly/abi.ts, anything else into src/";
  });
});

test("border: the guest imports nothing outside assembly/", () => {
  forbid(filesOf("assembly"), ({ specifier, target }) => {
    const isStandardLibrary = /^(?:rt|shared|util)\//.test(specifier);
    if (isIn("assembly", target) || isStandardLibrary) return false;
    return "guest code is compiled by its user: bring it into assembly/, relative and without packages";
  });
});

test("operations: a host operation imports abi and the tools, otherwise types only", () => {
  forbid(filesOf("src/operation"), ({ target, typeOnly }) => {
    if (isIn("src/operation", target)) return "operations do not know each other; move what they share into the core";
    if (target === ABI || TOOLS.has(target ?? "")) return false;
    if (typeOnly && isIn("src", target)) return false;
    return "use `import type`, or pass the value in through the context";
  });
});

test("operations: a guest operation imports the core and never another operation", () => {
  forbid(filesOf("assembly/operation"), ({ target }) => {
    // AssemblyScript has no type-only imports, so that the core's base class and records are imported by value.
    if (target !== null && /^assembly\/[\w-]+$/.test(target) && target !== "assembly/index") return false;
    return "import from a file directly in assembly/; move what operations share there";
  });
});

test("core: only the adapters name a platform", () => {
  const named = /\b(?:process|Buffer|Deno|Bun|caches|navigator|__dirname|require|KVNamespace|ExecutionContext)\b/;
  const core = filesOf("src").filter((file) => !ADAPTERS.includes(file));
  forbid(core, ({ specifier, target }) => {
    if (ADAPTERS.map(withoutExtension).includes(target ?? "")) return "the core never imports an adapter";
    return /^(?:node|cloudflare|bun|deno):/.test(specifier) && "let an adapter pass it in";
  });
  const mends = core.flatMap((file) => {
    const name = named.exec(withoutCommentsAndStrings(textOf(file)))?.[0];
    return name ? [`${file} names ${name}: let an adapter pass it in, as src/cloudflare.ts and src/node.ts do`] : [];
  });
  expect(mends.join("\n")).toBe("");
});

test("core: its messages name no platform's files or commands", () => {
  const core = filesOf("src").filter((file) => !ADAPTERS.includes(file));
  const mends = core
    .filter((file) => /wrangler|miniflare/i.test(withoutComments(textOf(file))))
    .map((file) => `${file} sends its reader to one platform's tool: say what is wrong in words of the package`);
  expect(mends.join("\n")).toBe("");
});

test("packages: the host needs no package but the WASI shim", () => {
  forbid(filesOf("src"), ({ specifier, target }) => {
    if (target !== null || /^(?:node|cloudflare):/.test(specifier) || specifier === "@bjorn3/browser_wasi_shim")
      return false;
    return "every user would install it; write the few lines, or add it here with a reason";
  });
});

test("face: index.ts only re-exports, in both halves", () => {
  const mends = ["index.ts", "assembly/index.ts", "src/index.ts"].flatMap((file) => {
    const rest = withoutCommentsAndStrings(textOf(file)).replace(/^export\s+(?:type\s)?(?:\*|\{[^}]*\})[^;]*;/gm, "");
    return rest.trim() === ""
      ? []
      : [`${file} does more than re-export: move ${rest.trim().split("\n")[0]} into a file`];
  });
  expect(mends.join("\n")).toBe("");
});

test.for(["worker", "test"])("leaves: nothing outside %s/ imports from it", (leaf) => {
  const others = ["assembly", "src", "scripts", "simulate", "conformance", "hosts", "worker", "test"].filter(
    (folder) => folder !== leaf,
  );
  forbid(others.flatMap(filesOf), ({ target }) => {
    return isIn(leaf, target) && `${leaf}/ is a leaf; move what is shared into assembly/, src/ or scripts/`;
  });
});
