// Report: tells the host's owner of a failure that nobody else will hear of.

import { REPORT_DROPPED } from "../../assembly/abi.ts";
import { DONE } from "../completion.ts";
import { decodeText, encodeBytes } from "../memory.ts";
import type { Processor } from "../operation.ts";

/** UTF-16 units of each text that the owner gets to see. */
const TEXT_UNITS_MAX = 1024;

/** A copy of its start: a slice would keep the whole text for as long as the owner keeps the report. */
function startOf(text: string): string {
  if (text.length <= TEXT_UNITS_MAX) return text;
  const bytes = encodeBytes(text.slice(0, TEXT_UNITS_MAX));
  return decodeText(bytes, 0, bytes.length);
}

export const Report: Processor = {
  name: "report",
  flags: REPORT_DROPPED,
  tells: true,

  decode(submission, context) {
    context.report({
      kind: submission.flags & REPORT_DROPPED ? "dropped" : "unhandled",
      message: startOf(submission.dataText()),
      operation: startOf(submission.name()),
      token: { slot: submission.argument1, generation: submission.argument2 },
      status: submission.argument0 | 0,
    });
    return DONE;
  },
};
