// An imported `.wasm` file is a compiled module: workerd has it so, node.ts makes it so.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
