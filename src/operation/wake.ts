// Wake: completes a wait, in whichever request that is.

import { Opcode } from "../../assembly/abi.ts";
import { DONE } from "../completion.ts";
import type { Context } from "../context.ts";
import type { Operation, Processor } from "../operation.ts";
import type { Submission } from "../submission.ts";

function waiter({ argument0, argument1 }: Submission, context: Context): Operation | undefined {
  const operation = context.instance.find(argument0, argument1);
  // One that was woken has its place still, and must not be a reason to admit any number of others.
  return operation?.opcode === Opcode.Wait && !operation.woken ? operation : undefined;
}

export const Wake: Processor = {
  name: "wake",

  decode(submission, context) {
    const operation = waiter(submission, context);
    return () => {
      operation?.context.wakeOperation(operation);
      return DONE;
    };
  },

  relieves: waiter,
};
