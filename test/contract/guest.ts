// Compiled guests behind the border guard, for what the guest library promises at the border.

import { readFileSync } from "node:fs";
import { path } from "../../scripts/paths.ts";
import { Proactor } from "../../src/index.ts";
import type { ErrorReport, ProactorOptions } from "../../src/index.ts";
import { Simulation } from "../../src/testing/index.ts";
import { guard } from "./border.ts";
import type { Border, BorderOptions } from "./border.ts";

export interface GuestOptions extends ProactorOptions, BorderOptions {
  simulation?: Simulation;
}

export interface Guest {
  readonly proactor: Proactor;
  readonly simulation: Simulation;
  readonly border: Border;
  readonly reports: ErrorReport[];
  /** Sends a request and lets time pass until it is answered. */
  ask(path: string): Promise<{ status: number; text: string }>;
}

/** Starts a module of build/, with a CACHE and an API unless resources are given named without its extension. */
export async function guest(source: string | WebAssembly.Module, options: GuestOptions = {}): Promise<Guest> {
  const simulation = options.simulation ?? new Simulation({ delay: [10, 10] });
  const module =
    typeof source === "string" ? new WebAssembly.Module(readFileSync(path(`build/${source}.wasm`))) : source;
  const border = guard(module, options);
  const reports: ErrorReport[] = [];
  const granted = { CACHE: simulation.kv(), API: simulation.origin("https://api.test", () => new Response("body")) };
  const { resources = granted, isolation, limits, clock = simulation.clock } = options;
  const { onError = (report) => void reports.push(report) } = options;
  const proactor = new Proactor(module, { resources, isolation, limits, clock, onError });
  const ask = async (path: string): Promise<{ status: number; text: string }> => {
    const response = await simulation.run(proactor.fetch(new Request(`http://guest.test${path}`)));
    return { status: response.status, text: await response.text() };
  };
  return { proactor, simulation, border, reports, ask };
}
