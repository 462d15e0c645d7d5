// Clients: who goes away before the answer ends what was under way for it.

import { Checks, eventually } from "../check.ts";
import { expectAnswer, expectEqual } from "../expect.ts";
import { text } from "./answers.ts";

const { all, check } = new Checks();
export const clients = all;

for (const [path, requests] of [
  ["/proxy/slow?delay=20000", 1],
  ["/deadline?timeout=20000&delay=20000", 1],
  ["/aggregate?n=5&delay=20000", 5],
] as const)
  check(`clients: one that goes away while ${path} waits ends the upstream's work`, async ({ send, stats }) => {
    const gone = new AbortController();
    const answer = send(path, { signal: gone.signal }).then(
      ({ status }) => `an answer with status ${status}`,
      () => "none",
    );
    const expected = { requests, active: requests, peak: requests, aborted: 0 };
    await eventually("the upstream", stats, expected).finally(() => gone.abort());
    expectEqual(await answer, "none", "what the client that left has got");
    await eventually("the upstream", stats, { ...expected, active: 0, aborted: requests });
    await expectAnswer(await send("/hello"), text("hello"));
  });
