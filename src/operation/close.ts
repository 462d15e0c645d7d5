// Close: gives a resource back; what is in flight on it ends as Cancelled.

import { Status } from "../../assembly/abi.ts";
import { DONE } from "../completion.ts";
import { Failure } from "../failure.ts";
import type { Processor } from "../operation.ts";

export const Close: Processor = {
  name: "close",

  decode({ resource }, context) {
    // A grant outlives the request, so a request cannot give it back: the next one would miss it.
    if (!context.owns(resource))
      throw context.resource(resource)
        ? new Failure(Status.NotPermitted, "close: a grant cannot be closed")
        : new Failure(Status.BadResource, "close: no such resource here");
    return () => {
      context.closeResource(resource);
      return DONE;
    };
  },

  // Not of a grant: a guest could open and close one for ever, and each Close would have to wait for its completion.
  relieves({ resource }, context) {
    const kind = context.resource(resource)?.kind;
    return kind === "exchange" || kind === "body";
  },
};
