// What foreign tools make of the peers, as far as it is used. It is there only where they have been built.

declare module "*/build/bench/peers/wasm-bindgen/guest.js" {
  export function initSync(from: { module: WebAssembly.Module }): void;
  export function noop(count: number, batch: number): Promise<number>;
  export function chain(count: number): Promise<number>;
  export function pummel(count: number, inFlight: number): Promise<number>;
  export function latency(count: number): Promise<number>;
  export function reads(count: number, size: number): Promise<number>;
}

declare module "*/build/bench/peers/jco/guest.js" {
  export interface Component {
    chain(count: number): Promise<number>;
    latency(count: number): Promise<number>;
    batches(count: number, size: number): Promise<number>;
    pummel(count: number, size: number): Promise<number>;
    sleeps(count: number): Promise<number>;
  }
  export function instantiate(
    moduleOf: (path: string) => WebAssembly.Module,
    imports: Record<string, Record<string, () => Promise<void>>>,
  ): Component;
}
