// The public face of the guest library; re-exports only.
// oxlint-disable-next-line typescript/triple-slash-reference -- for the compiler of whoever imports this package.
/// <reference path="./runtime.d.ts" />

export { CancelResult, EventKind, RedirectMode, Status } from "./abi";
export { abort } from "./abort";
export { CompletionHandler } from "./completion-handler";
export { Completion } from "./completion-queue";
export { Channel } from "./compose/channel";
export { Delay } from "./compose/delay";
export { Fallback } from "./compose/fallback";
export { Gather, Gathered, gather, gatherSettled } from "./compose/gather";
export { Hedge } from "./compose/hedge";
export { Gate, Limit } from "./compose/limit";
export { Ensure, Mapping } from "./compose/map";
export { Race, any, race } from "./compose/race";
export { Retry, RetryPolicy, isTransient } from "./compose/retry";
export { Scope, Scoped } from "./compose/scope";
export { Sequence, sequence } from "./compose/sequence";
export { SingleFlight } from "./compose/single-flight";
export { Task } from "./compose/task";
export { Slices, slices } from "./compose/slices";
export { Value } from "./compose/value";
export { __instance_signal, __instance_terminated, isNearCpuLimit } from "./cpu-limit";
export { Exchange, serve } from "./exchange";
export { fiber, run_fiber } from "./fiber";
export { Token, inFlightCount, staleCount } from "./handler-table";
export { Operation } from "./operation";
export { Accept, Incoming, RequestHeaders, accept } from "./operation/accept";
export { Cancel, cancel } from "./operation/cancel";
export { Close, close } from "./operation/close";
export { Fetch, Origin, Response, origin } from "./operation/fetch";
export { Kv, KvDelete, KvGet, KvKeys, KvList, KvPut, KvValue, kv } from "./operation/kv";
export { Noop, noop } from "./operation/noop";
export { Content, Read, read } from "./operation/read";
export { Report, report } from "./operation/report";
export { Respond } from "./operation/respond";
export { Timer, timer } from "./operation/timer";
export { Wait, wait } from "./operation/wait";
export { Wake, wake } from "./operation/wake";
export { Headers, Pairs } from "./pairs";
export { run } from "./proactor";
export { percentDecode, queryValue } from "./url";
