// Processors: which host code performs which opcode.

import { Opcode } from "../assembly/abi.ts";
import type { Named } from "./completion.ts";
import type { Processor } from "./operation.ts";
import { Accept } from "./operation/accept.ts";
import { Cancel } from "./operation/cancel.ts";
import { Close } from "./operation/close.ts";
import { Fetch } from "./operation/fetch.ts";
import { KvDelete, KvGet, KvList, KvPut } from "./operation/kv.ts";
import { Noop } from "./operation/noop.ts";
import { Read } from "./operation/read.ts";
import { Report } from "./operation/report.ts";
import { Respond } from "./operation/respond.ts";
import { Timer } from "./operation/timer.ts";
import { Wait } from "./operation/wait.ts";
import { Wake } from "./operation/wake.ts";
import type { ErrorReport } from "./report.ts";

const byOpcode: Record<Opcode, Processor> = {
  [Opcode.Noop]: Noop,
  [Opcode.Cancel]: Cancel,
  [Opcode.Close]: Close,
  [Opcode.Timer]: Timer,
  [Opcode.Accept]: Accept,
  [Opcode.Respond]: Respond,
  [Opcode.Read]: Read,
  [Opcode.Fetch]: Fetch,
  [Opcode.KvGet]: KvGet,
  [Opcode.KvPut]: KvPut,
  [Opcode.KvDelete]: KvDelete,
  [Opcode.KvList]: KvList,
  [Opcode.Report]: Report,
  [Opcode.Wait]: Wait,
  [Opcode.Wake]: Wake,
};

/** By opcode. All have one shape: what some of them lack would be looked for anew each time. */
export const processors: readonly Processor[] = Object.values(byOpcode).map(
  ({ name, ofInstance, flags, decode, relieves, tells }) => ({ name, ofInstance, flags, decode, relieves, tells }),
);

/** The operation's name as the guest's author knows it. */
export function nameOf({ opcode }: Named): string {
  return processors[opcode]?.name ?? `opcode ${opcode}`;
}

/** Names an operation's handler in a report. */
export function handlerOf(completion: Named | undefined): Pick<ErrorReport, "operation" | "token"> | undefined {
  if (!completion) return undefined;
  const { slot, generation } = completion;
  return { operation: nameOf(completion), token: { slot, generation } };
}
