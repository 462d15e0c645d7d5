// Cancel: ends another operation; the answer says whether it came in time.

import { CancelResult, Status } from "../../assembly/abi.ts";
import type { Context } from "../context.ts";
import type { Operation, Processor } from "../operation.ts";
import type { Submission } from "../submission.ts";

/** The operation to end: one of the same context, or the instance's accept. */
function victim({ argument0, argument1 }: Submission, context: Context): Operation | undefined {
  const { instance } = context;
  const operation = instance.find(argument0, argument1);
  return operation?.context === context || operation?.context === instance.context ? operation : undefined;
}

export const Cancel: Processor = {
  name: "cancel",

  decode(submission, context) {
    const operation = victim(submission, context);
    // What is not in flight here has completed; the guest's own mark then decides what its handler sees.
    if (!operation) return { auxiliary: CancelResult.TooLate };
    return () => {
      operation.end(Status.Cancelled, "the guest cancelled it");
      return { auxiliary: CancelResult.Won };
    };
  },

  relieves: victim,
};
