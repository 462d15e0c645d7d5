// The packages that peers are made with, as far as they are used: they are installed only by who measures.

declare module "@bytecodealliance/jco-transpile" {
  export function transpileBytes(
    component: Uint8Array,
    options: Record<string, unknown>,
  ): Promise<{ files: Record<string, Uint8Array> }>;
}

declare module "@bytecodealliance/jco-transpile/wasm-tools" {
  export function componentEmbed(options: {
    binary: Uint8Array;
    witSource: string;
    world: string;
  }): Promise<Uint8Array>;
  export function componentNew(module: Uint8Array): Promise<Uint8Array>;
}

declare module "@extism/extism" {
  export interface Plugin {
    call(name: string, input: string): Promise<{ text(): string } | null>;
  }
  export function createPlugin(
    module: WebAssembly.Module,
    options: { runInWorker: boolean; functions: Record<string, Record<string, () => Promise<void>>> },
  ): Promise<Plugin>;
}
