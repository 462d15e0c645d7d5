// Processors: which host code performs which opcode.

import { Opcode } from "../assembly/abi.ts";
import type { Completion, Processor } from "./operation.ts";
import { Accept } from "./operation/accept.ts";
import { Cancel } from "./operation/cancel.ts";
import { Close } from "./operation/close.ts";
import { Fetch } from "./operation/fetch.ts";
import { KvDelete, KvGet, KvList, KvPut } from "./operation/kv.ts";
import { Noop } from "./operation/noop.ts";
import { Read } from "./operation/read.ts";
import { Respond } from "./operation/respond.ts";
import { Timer } from "./operation/timer.ts";
import type { ErrorReport } from "./report.ts";

const named = {
  [Opcode.Noop]: ["noop", Noop],
  [Opcode.Cancel]: ["cancel", Cancel],
  [Opcode.Close]: ["close", Close],
  [Opcode.Timer]: ["timer", Timer],
  [Opcode.Accept]: ["accept", Accept],
  [Opcode.Respond]: ["respond", Respond],
  [Opcode.Read]: ["read", Read],
  [Opcode.Fetch]: ["fetch", Fetch],
  [Opcode.KvGet]: ["kv.get", KvGet],
  [Opcode.KvPut]: ["kv.put", KvPut],
  [Opcode.KvDelete]: ["kv.delete", KvDelete],
  [Opcode.KvList]: ["kv.list", KvList],
} as const satisfies Record<Opcode, readonly [string, unknown]>;

/** By opcode. What `decode` returns is what `perform` takes, so the type between them is nobody else's business. */
export const processors = Object.values(named).map(([, processor]) => processor) as readonly Processor<unknown>[];

const names = Object.values(named).map(([name]) => name as string);

/** The operation's name as the guest's author knows it. */
export function nameOf(completion: Completion): string {
  return names[completion.opcode] ?? `opcode ${completion.opcode}`;
}

/** Names an operation's handler in a report. */
export function handlerOf(completion: Completion): Pick<ErrorReport, "operation" | "token"> {
  const { slot, generation } = completion;
  return { operation: nameOf(completion), token: { slot, generation } };
}
