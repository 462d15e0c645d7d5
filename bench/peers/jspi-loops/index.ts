// JSPI with stacks that stay: as many calls as operations are to be in flight, each of which loops.

import type { Peer } from "../../peer.ts";
import { chain } from "../jspi/guest.ts";
import { counted, shares } from "../straight-line.ts";

export const peer: Peer = {
  pummel: (count, size) =>
    counted(
      count,
      shares(count, size).map((share) => chain(share)),
    ),
};
