// Accept: completes once for each incoming event, until it is cancelled.

import { EventKind, Status } from "../../assembly/abi.ts";
import { Failure } from "../failure.ts";
import type { Processor } from "../operation.ts";

export const Accept: Processor = {
  name: "accept",
  ofInstance: true,

  decode({ argument0: kinds, deadlineMs }, { instance }) {
    if (kinds !== EventKind.Fetch)
      throw new Failure(Status.NotSupported, "accept: this host has events of kind fetch only");
    if (deadlineMs !== 0) throw new Failure(Status.Invalid, "accept: has no deadline");
    if (instance.accept) throw new Failure(Status.Invalid, "accept: one is in flight already; call serve() once");
    return (operation) => void (instance.accept = operation);
  },
};
