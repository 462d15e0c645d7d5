// Close: gives a resource back; what is in flight on it ends as Cancelled.

import { Status } from "../../assembly/abi.ts";
import { Failure } from "../failure.ts";
import type { Processor } from "../operation.ts";

export const Close: Processor<number> = {
  decode: ({ resource }) => resource,

  perform(resource, { context }) {
    if (!context.closeResource(resource)) throw new Failure(Status.BadResource, "close: no such resource here");
    return {};
  },

  relieves: ({ resource }, context) => context.resource(resource) !== undefined,
};
