// asc resolves `import … from "wasm-proactor"` to this file.
export * from "./assembly/index";
