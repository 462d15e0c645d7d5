// Overlap: many requests at once, each of which must get the answer that is its own.

import { Checks, eventually } from "../check.ts";
import type { Send } from "../check.ts";
import { expectAnswer, expectEqual } from "../expect.ts";
import { refusal, text } from "./answers.ts";

const { all, check } = new Checks();
export const overlap = all;

const VISITS = 300;
const HELD = 40;

/** What a visitor does and checks; its number is in all that it sends. */
type Visitor = (send: Send, id: string, number: number) => Promise<void>;

const VISITORS: Visitor[] = [
  async (send, id) => expectAnswer(await send("/upper", { method: "POST", body: id }), text(id.toUpperCase())),
  async (send, id, number) => {
    const body = id.repeat(1 + (number % 50));
    await expectAnswer(await send(`/kv/${id}`, { method: "PUT", body }), { status: 204 });
    await expectAnswer(await send(`/kv/${id}`), text(body));
  },
  async (send, id, number) => {
    const response = await send(`/proxy/${id}?delay=${number % 70}`);
    await expectAnswer(response, { status: 200, body: `upstream /${id}\n` });
  },
  async (send, id) => {
    const body = `<!doctype html><meta charset="utf-8"><title>${id}</title><h1>${id}</h1>\n`;
    await expectAnswer(await send(`/page/${id}`), { status: 200, body });
  },
  async (send, _, number) => {
    const { fetches } = await (await send(`/aggregate?n=${1 + (number % 9)}&delay=${number % 30}`)).json();
    expectEqual(fetches.length, 1 + (number % 9), "fetches");
  },
  async (send, _, number) => expectAnswer(await send(`/sleep/${number % 90}`), text("awake")),
  async (send, id) => expectAnswer(await send(`/${id}`), refusal(404, "not-found", `there is nothing at /${id}`)),
];

/** One whose fetch the upstream sees aborted. */
const impatient: Visitor = async (send) =>
  expectAnswer(await send("/deadline?timeout=20&delay=20000"), refusal(504, "timed-out"));

check(`overlap: ${VISITS} requests at once, each gets its own answer`, async ({ send, run, stats }) => {
  const visitors = [...VISITORS, impatient];
  const visits = Array.from({ length: VISITS }, (_, number) =>
    visitors[number % visitors.length]!(send, `${run}-${number}`, number),
  );
  await Promise.all(visits).finally(() => Promise.allSettled(visits));
  await eventually("requests that the upstream has not ended", async () => (await stats()).active, 0);
});

check(`overlap: ${HELD} requests that wait hold up no other, and end when their clients go away`, async (subject) => {
  const { send, stats, run } = subject;
  const gone = new AbortController();
  const { signal } = gone;
  const held = Array.from({ length: HELD }, (_, index) => send(`/proxy/held/${index}?delay=20000`, { signal }));
  const answers = Promise.allSettled(held);
  try {
    const waiting = { requests: HELD, active: HELD, peak: HELD, aborted: 0 };
    await eventually("the upstream", stats, waiting);
    for (const [number, visitor] of VISITORS.entries()) await visitor(send, `${run}-between-${number}`, number);
    expectEqual((await stats()).active, HELD, "requests that still wait");
  } finally {
    gone.abort();
  }
  const left = (await answers).filter(({ status }) => status === "rejected");
  expectEqual(left.length, HELD, "requests that were given up");
  await eventually("requests that the upstream saw aborted", async () => (await stats()).aborted, HELD);
  await expectAnswer(await send("/hello"), text("hello"));
});
