// Planted bugs: one-line patches of the library, each of which the simulator must find. If it does not, it has failed
// itself. They are applied while a copy is built; no file of the library is touched.

export interface Planted {
  /** What the patched library does. */
  title: string;
  file: string;
  /** Occurs once in the file. */
  find: string;
  replace: string;
}

export const PLANTED: readonly Planted[] = [
  // The host's half.
  {
    title: "a response that comes after its operation has ended is kept",
    file: "src/operation.ts",
    find: "if (outcome.response) cancelBody(outcome.response);",
    replace: "",
  },
  {
    title: "a deadline ends the operation and not its work",
    file: "src/operation.ts",
    find: "this.#controller?.abort();",
    replace: "",
  },
  {
    title: "the bytes of arguments are never given back",
    file: "src/instance.ts",
    find: "this.heldBytes -= operation.heldBytes;",
    replace: "",
  },
  {
    title: "what a killed request had in flight is not reclaimed",
    file: "src/proactor.ts",
    find: "instance.reclaim(context);",
    replace: "",
  },
  {
    title: "a completion is delivered by whatever request comes next",
    file: "src/context.ts",
    find: "this.pending.push(admitted, completion);",
    replace: "this.instance.context.pending.push(admitted, completion);",
  },
  {
    title: "timers outlive the request that they belong to",
    file: "src/context.ts",
    find: "this.#deadlines?.clear();",
    replace: "",
  },
  {
    title: "a view of the memory is kept over its growth",
    file: "src/memory.ts",
    find: "this.#words = new Uint32Array(this.#memory.buffer);",
    replace: "if (!Object.isFrozen(this)) this.#words = new Uint32Array(this.#memory.buffer); Object.freeze(this);",
  },
  {
    title: "timers that are due at the same time fire in the wrong order",
    file: "src/deadlines.ts",
    find: "(a.due - b.due || a.order - b.order) < 0",
    replace: "(a.due - b.due || b.order - a.order) < 0",
  },
  {
    title: "a connection is not handed on",
    file: "src/connections.ts",
    find: "next!();",
    replace: "",
  },
  {
    title: "a turn brings more completions than its budget",
    file: "src/instance.ts",
    find: "Math.min(capacity >>> 0, context.due, this.#left)",
    replace: "Math.min(capacity >>> 0, context.due)",
  },
  {
    title: "one operation more than the limit is admitted",
    file: "src/instance.ts",
    find: "if (this.admitted >= this.#limits.inFlight) return true;",
    replace: "if (this.admitted > this.#limits.inFlight) return true;",
  },
  // The guest's half.
  {
    title: "a cancelled operation reports success all the same",
    file: "assembly/proactor.ts",
    find: "if (cancelled) overrule(completion);",
    replace: "",
  },
  {
    title: "a slot's generation stays what it was",
    file: "assembly/handler-table.ts",
    find: "entry.generation = max(entry.generation + 1, 1);",
    replace: "",
  },
  {
    title: "the collector does not see the handlers that are in flight",
    file: "assembly/handler-table.ts",
    find: "type Handlers = StaticArray<CompletionHandler | null>;",
    replace: "type Handlers = StaticArray<usize>;",
  },
  {
    title: "a nested run is not refused",
    file: "assembly/proactor.ts",
    find: "if (inTurn) return Status.Again;",
    replace: "",
  },
  {
    title: "what an aborted turn has prepared is submitted by the next",
    file: "assembly/proactor.ts",
    find: "  discard();\n",
    replace: "",
  },
];

/** The file's text with the patch. Throws if the patch does not apply: then it patches what is not there any more. */
export function patched(text: string, { file, find, replace, title }: Planted): string {
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new Error(
      `simulate/planted.ts: "${title}" patches a line that ${file} has ${parts.length - 1} times, not once`,
    );
  return parts.join(replace);
}
