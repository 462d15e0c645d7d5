// What foreign tools make of the peers, as far as it is used. It is there only where they have been built.

declare module "*/build/bench/peers/wasm-bindgen/guest.js" {
  export function initSync(from: { module: WebAssembly.Module }): void;
  export function noop(count: number, batch: number): Promise<number>;
  export function chain(count: number): Promise<number>;
  export function pummel(count: number, inFlight: number): Promise<number>;
  export function latency(count: number): Promise<number>;
}
