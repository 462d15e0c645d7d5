// Report: tells the host's owner of a failure that nobody else will hear of.

import { REPORT_DROPPED } from "../../assembly/abi.ts";
import { DONE } from "../completion.ts";
import type { Processor } from "../operation.ts";

/** UTF-16 units of each text that the owner gets to see. */
const TEXT_UNITS_MAX = 1024;

export const Report: Processor = {
  name: "report",
  flags: REPORT_DROPPED,
  tells: true,

  decode(submission, context) {
    context.report({
      kind: submission.flags & REPORT_DROPPED ? "dropped" : "unhandled",
      message: submission.dataText().slice(0, TEXT_UNITS_MAX),
      operation: submission.name().slice(0, TEXT_UNITS_MAX),
      token: { slot: submission.argument1, generation: submission.argument2 },
      status: submission.argument0 | 0,
    });
    return DONE;
  },
};
