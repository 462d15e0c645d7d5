// Heap checks: AssemblyScript's checks of its own heap, which release builds leave out.
//
// They find mistakes in AssemblyScript's allocator and collector, and what unsafe code has overwritten; debug builds keep
// them. `--noAssert` would take along every `assert` and `!` of a guest's author. So this sets the one constant of the
// runtime's sources that they depend on. An asc whose sources look different compiles them as they are.

export default class {
  /** asc calls it with what it has parsed, before it compiles anything. */
  afterParse({ sources }) {
    const common = sources.find((source) => source.normalizedPath === "~lib/rt/common.ts");
    const constants = (common?.statements ?? []).flatMap((statement) => statement.declarations ?? []);
    const named = (name) => constants.find((constant) => constant.name.text === name);
    const debug = named("DEBUG");
    // The same file has another constant that is `false`.
    const off = named("TRACE");
    if (debug && off) debug.initializer = off.initializer;
  }
}
