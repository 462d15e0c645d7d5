// The public face of the simulated host; re-exports only.

export { memoryKv } from "../kv-memory.ts";
export { Random } from "./random.ts";
export { Simulation } from "./simulation.ts";
export type { Faults, SimulationOptions, Upstream } from "./simulation.ts";
export { VirtualClock } from "./virtual-clock.ts";
