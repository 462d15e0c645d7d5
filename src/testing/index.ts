// The public face of the simulated host; re-exports only.

export { memoryKv } from "../kv-memory.ts";
export { BodyLedger } from "./body.ts";
export { FAULTS } from "./faults.ts";
export type { Faults, Struck } from "./faults.ts";
export type { PlatformLimits } from "./platform.ts";
export { Random } from "./random.ts";
export { SimulationError, simulate } from "./simulate.ts";
export type { Answer, SimulateOptions, SimulationRun } from "./simulate.ts";
export { Simulation } from "./simulation.ts";
export type { SimulationOptions, Upstream } from "./simulation.ts";
export { VirtualClock } from "./virtual-clock.ts";
