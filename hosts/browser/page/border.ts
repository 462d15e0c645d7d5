// Border: stands between a guest and its host, and tells what crosses, in the order in which it does.

import { COMPLETION_BYTES, MORE, Opcode, RECLAIM, RESPOND_FORWARD, Status } from "../../../assembly/abi.ts";
import { operationOf, readCompletion, readSubmissions, tokenOf } from "../../../src/testing/records.ts";
import type { CompletionRecord, SubmissionRecord } from "../../../src/testing/records.ts";

/** One record that crossed. */
export interface Crossing {
  readonly kind: "submission" | "completion";
  /** Which instance of the module, counted from 1. */
  readonly instance: number;
  readonly token: string;
  readonly operation: string;
  /** A completion's status by name; whether a submission was admitted. */
  readonly status: string;
  readonly failed: boolean;
  /** A few words more: a deadline, bytes, an HTTP status. */
  readonly detail: string;
  /** Milliseconds since the page was loaded. */
  readonly at: number;
}

type Import = (...args: number[]) => number;

/** The `instantiate` option of a proactor whose border is to be watched. */
export function watchBorder(onCrossing: (crossing: Crossing) => void) {
  let instances = 0;
  return (module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance => {
    const tell = teller(++instances, onCrossing);
    const { submit, poll, ...others } = imports["proactor_v1"] as Record<"submit" | "poll", Import>;
    const memory = (): ArrayBufferLike => (instance.exports["memory"] as WebAssembly.Memory).buffer;
    const proactor_v1 = {
      ...others,
      submit(at: number, count: number): number {
        // Read before: the guest may reuse its memory once the call has returned.
        const records = readSubmissions(memory(), at, count);
        const admitted = submit(at, count);
        for (const [index, record] of records.entries()) tell.submitted(record, index < admitted);
        return admitted;
      },
      poll(at: number, capacity: number, arena: number, arenaBytes: number): number {
        const count = poll(at, capacity, arena, arenaBytes);
        for (let index = 0; index < count; index++)
          tell.completed(readCompletion(memory(), (at >>> 0) + index * COMPLETION_BYTES));
        return count;
      },
    };
    const instance = new WebAssembly.Instance(module, { ...imports, proactor_v1 });
    return instance;
  };
}

function teller(instance: number, onCrossing: (crossing: Crossing) => void) {
  /** What is in flight, by token: a completion does not say what it completes. */
  const opcodes = new Map<string, Opcode>();
  return {
    submitted(record: SubmissionRecord, admitted: boolean): void {
      const token = tokenOf(record);
      if (admitted) opcodes.set(token, record.opcode);
      onCrossing({
        kind: "submission",
        instance,
        token,
        operation: operationOf(record.opcode),
        status: admitted ? "admitted" : "refused",
        failed: !admitted,
        detail: detailOf(record),
        at: performance.now(),
      });
    },
    completed(record: CompletionRecord): void {
      const token = tokenOf(record);
      const opcode = opcodes.get(token);
      if (!(record.flags & MORE)) opcodes.delete(token);
      onCrossing({
        kind: "completion",
        instance,
        token,
        operation: opcode === undefined ? "unknown" : operationOf(opcode),
        status: Status[record.status] ?? `${record.status}`,
        failed: record.status < 0,
        detail: resultOf(record, opcode),
        at: performance.now(),
      });
    },
  };
}

function detailOf({ opcode, arguments: [argument0], deadlineMs, flags, ranges }: SubmissionRecord): string {
  const bytes = ranges.reduce((sum, [, length]) => sum + length, 0);
  const ownStatus = opcode === Opcode.Respond && !(flags & RESPOND_FORWARD);
  return joined([
    opcode === Opcode.Timer && `${argument0} ms`,
    ownStatus && `HTTP ${argument0}`,
    deadlineMs > 0 && `within ${deadlineMs} ms`,
    bytes > 0 && bytesOf(bytes),
  ]);
}

function resultOf({ auxiliary, flags, payload, resource }: CompletionRecord, opcode: Opcode | undefined): string {
  const [, bytes] = payload;
  return joined([
    (flags & MORE) !== 0 && "more follow",
    (flags & RECLAIM) !== 0 && "slot reclaimed",
    opcode === Opcode.Fetch && auxiliary > 0 && `HTTP ${auxiliary}`,
    resource > 0 && `resource ${resource}`,
    bytes > 0 && bytesOf(bytes),
  ]);
}

const joined = (parts: readonly (string | false)[]): string => parts.filter(Boolean).join(", ");

const bytesOf = (count: number): string => `${count.toLocaleString("en")} ${count === 1 ? "byte" : "bytes"}`;
