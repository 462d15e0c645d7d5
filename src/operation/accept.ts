// Accept: completes once for each incoming event, until it is cancelled.

import { ACCEPT_HEADERS, EventKind, Status } from "../../assembly/abi.ts";
import { Failure } from "../failure.ts";
import type { Processor } from "../operation.ts";

export const Accept: Processor = {
  name: "accept",
  ofInstance: true,
  flags: ACCEPT_HEADERS,

  decode({ argument0: kinds, flags, deadlineMs }, { instance }) {
    if (kinds !== EventKind.Fetch)
      throw new Failure(Status.NotSupported, "accept: this host has events of kind fetch only");
    if (deadlineMs !== 0) throw new Failure(Status.Invalid, "accept: has no deadline");
    if (instance.accept?.settled === false)
      throw new Failure(Status.Invalid, "accept: one is in flight already; call serve() once");
    return (operation) => {
      instance.accept = operation;
      instance.wantsHeaders = (flags & ACCEPT_HEADERS) !== 0;
      return undefined;
    };
  },
};
