// Scripts that once found a divergence, as the model's test printed them when it had shrunk them.

import { test } from "vitest";
import { USUAL, open, play } from "./commands.ts";

test("G21: a trap in the handler of a refused submission is not put down to the one that had its slot before", () =>
  play({ ...USUAL, inFlight: 1 }, [
    open({ do: "respond", again: 1, handler: [{ do: "close", what: "exchange", handler: [{ do: "abort" }] }] }),
  ]));

test("G21: a submission that nobody waits for is not refused in silence", () =>
  play({ ...USUAL, inFlight: 1 }, [open({ do: "noop", detached: true })]));
