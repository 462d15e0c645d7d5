// The public face of the host library; re-exports only. Names no platform.

export type { Clock } from "./deadlines.ts";
export { origin } from "./decoded.ts";
export type { Counters, Shutdown } from "./host.ts";
export { DEFAULT_LIMITS } from "./limits.ts";
export type { Limits } from "./limits.ts";
export { ModuleError } from "./module.ts";
export type { Instantiate, Isolation, ProactorOptions } from "./options.ts";
export { Proactor } from "./proactor.ts";
export { formatReport } from "./report.ts";
export type { ErrorReport, OnError } from "./report.ts";
export type { Lifetime } from "./request-context.ts";
export { kv } from "./resource.ts";
export type {
  FetchFunction,
  Fetcher,
  Grant,
  Grants,
  KvGrant,
  KvPage,
  KvRight,
  KvStore,
  OriginGrant,
} from "./resource.ts";
