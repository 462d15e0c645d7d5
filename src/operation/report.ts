// Report: tells the host's owner of a failure that nobody else will hear of.

import { REPORT_DROPPED } from "../../assembly/abi.ts";
import type { Processor } from "../operation.ts";

export const Report: Processor = {
  name: "report",
  flags: REPORT_DROPPED,

  decode(submission, { host, title }) {
    host.report({
      kind: submission.flags & REPORT_DROPPED ? "dropped" : "unhandled",
      message: submission.dataText(),
      operation: submission.name(),
      token: { slot: submission.argument1, generation: submission.argument2 },
      status: submission.argument0 | 0,
      request: title,
    });
    return () => ({});
  },
};
