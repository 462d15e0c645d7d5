// Options: what the owner of a proactor decides, checked before anything runs.

import { systemClock } from "./deadlines.ts";
import type { Clock } from "./deadlines.ts";
import type { Instance } from "./instance.ts";
import { completeLimits } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { checkNames, complete } from "./names.ts";
import { logError } from "./report.ts";
import type { OnError } from "./report.ts";
import type { Grants } from "./resource.ts";
import { systemRandom } from "./wasi.ts";
import type { RandomSource } from "./wasi.ts";

export type Isolation = (typeof ISOLATIONS)[number];

const ISOLATIONS = ["request", "pooled", "shared"] as const;

export interface ProactorOptions {
  /** What the guest may open, by name. */
  resources?: Grants;
  /** How far a trap reaches; "pooled" if not given. */
  isolation?: Isolation;
  limits?: Partial<Limits>;
  /** Told of what no handler of the guest has dealt with. By default each becomes a line of `console.error`. */
  onError?: OnError;
  /** The platform's time; virtual in tests. */
  clock?: Clock;
  /** Where the guest's random numbers come from: the platform, or in tests a seed. */
  random?: RandomSource;
  /** Makes an instance of the module. Who records or checks what crosses the border stands in between here. */
  instantiate?: Instantiate;
}

/** `owner` is the host's side of the instance. */
export type Instantiate = (
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
  owner: Instance,
) => WebAssembly.Instance;

export const systemInstantiate: Instantiate = (module, imports) => new WebAssembly.Instance(module, imports);

const DEFAULTS: Required<ProactorOptions> = {
  resources: {},
  isolation: "pooled",
  limits: {},
  onError: logError,
  clock: systemClock,
  random: systemRandom,
  instantiate: systemInstantiate,
};

/** Fills in the defaults. Throws a TypeError, or a RangeError, that names what is wrong. */
export function completeOptions(options: ProactorOptions): Required<ProactorOptions> & { limits: Limits } {
  const completed = complete("options", options, DEFAULTS);
  const { resources, isolation } = completed;
  checkNames("isolation", [isolation], ISOLATIONS);
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const given = completed[name as keyof ProactorOptions];
    if (given === null || typeof given !== typeof value) throw new TypeError(`${name}: this is no ${typeof value}`);
  }
  for (const [name, grant] of Object.entries(resources))
    if (!["kv", "origin"].includes(grant?.kind))
      throw new TypeError(`resources.${name}: this is no grant; wrap it in kv() or origin()`);
  return { ...completed, limits: completeLimits(completed.limits) };
}
