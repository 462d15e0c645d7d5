// Serving: how a server of a host starts and ends. Only for one that the suite has started itself.

import { fileURLToPath } from "node:url";
import { Checks, eventually, inTime } from "../check.ts";
import type { Server } from "../check.ts";
import { expectEqual } from "../expect.ts";

const { all, check } = new Checks();
export const serving = all;

const BAD_USE = 2;

async function expectRefusal(server: Server): Promise<void> {
  const { code, stderr } = await inTime("the end of the server", server.ended);
  expectEqual(code, BAD_USE, "exit code");
  expectEqual(stderr.trim(), /\S/, "what it says on its standard error");
}

check(
  "serving: an unknown flag is a bad use",
  ({ start }) => expectRefusal(start!({ argument: "--no-such-flag" })),
  "start",
);

check(
  "serving: a file that is no module is a bad use",
  ({ start }) => expectRefusal(start!({ module: fileURLToPath(import.meta.url) })),
  "start",
);

check(
  "serving: a file that is not there is a bad use",
  ({ start }) => expectRefusal(start!({ module: "/no/such/module.wasm" })),
  "start",
);

check(
  "serving: a shutdown lets what is under way end well",
  async ({ start, stats }) => {
    const server = start!();
    const url = await inTime("the line that says where it listens", server.url);
    // Should the answer come before the signal, this says nothing; but it does not fail.
    const answer = fetch(`${url}/proxy/last?delay=1500`).then(async (response) => [
      response.status,
      await response.text(),
    ]);
    await eventually("requests that the upstream has seen", async () => (await stats()).requests, 1);
    server.signal("SIGTERM");
    expectEqual(await inTime("the answer", answer), [200, "upstream /last\n"], "the last answer");
    const { code, signal } = await inTime("the end of the server", server.ended);
    expectEqual({ code, signal }, { code: 0, signal: null }, "how it ended");
  },
  "start",
);

check(
  "serving: a second signal ends it at once",
  async ({ start, stats }) => {
    const server = start!();
    const url = await inTime("the line that says where it listens", server.url);
    // Its guest may still say why, or the connection is gone.
    const answer = fetch(`${url}/proxy/never?delay=30000`).catch(() => {});
    await eventually("requests that the upstream has not ended", async () => (await stats()).active, 1);
    server.signal("SIGTERM");
    await eventually("whether it takes requests", async () => (await takesRequests(url)) && "yes", false);
    server.signal("SIGTERM");
    await inTime("the end of the request", answer);
    await inTime("the end of the server", server.ended);
    await eventually("requests that the upstream has not ended", async () => (await stats()).active, 0);
  },
  "start",
);

/** After the first signal it either listens no more or says that it shuts down. */
async function takesRequests(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/hello`)).status === 200;
  } catch {
    return false;
  }
}
