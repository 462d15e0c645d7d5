// `npm run soak`: requests by the hundred thousand through real workerd, in waves whose bursts overlap. After each wave
// every ledger is zero, and guest memory is as large as it was after the first.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs, styleText } from "node:util";
import type { Isolation } from "../../src/index.ts";
import { progress, wholeNumber } from "../../scripts/terminal.ts";
import { Subject, drawn, isExpected, recipesFor, send } from "../support/visits.ts";

const HELP = `Sends requests through workerd, of which many trap, are killed, fall silent or are left by their caller.

  npm run soak -- [--requests 1000000] [--isolation pooled] [--seed 1]

  --requests   how many, in each mode
  --isolation  request, pooled, shared, or all of them one after the other
  --seed       decides the requests

Each answer is checked. After each wave of 1,000 no context, operation, timer or exchange may be left. The memory of the
guests must stay as it is after the first waves; that of workerd is shown. It keeps what killed requests leave behind, so
every 50,000 requests go to a workerd of their own. A million takes about three quarters of an hour.
`;

const ISOLATIONS: Isolation[] = ["request", "pooled", "shared"];
const WAVE = 1000;
const BURST = 200;
/** Waves until memory is as large as such waves make it. */
const WARM_UP_WAVES = 3;
/**
 * Waves that one workerd bears. It never gives back what a killed request was waiting for, whatever Worker that was, and
 * dies of it at a few gigabytes.
 */
const STRETCH = 50;
/** Lines of the table. */
const SAMPLES = 20;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      requests: { type: "string", default: "1000000" },
      isolation: { type: "string", default: "pooled" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const waves = Math.ceil(wholeNumber("requests", values.requests, 1) / WAVE);
  const seed = wholeNumber("seed", values.seed);
  const isolations = ISOLATIONS.filter((isolation) => [isolation, "all"].includes(values.isolation));
  if (isolations.length === 0) throw new Error(`--isolation takes ${ISOLATIONS.join(", ")} or all`);
  for (const isolation of isolations) await soak(isolation, waves, seed);
}

async function soak(isolation: Isolation, waves: number, seed: number): Promise<void> {
  console.log(`isolation ${isolation}\n   requests       traps      killed   instances  guest KiB  workerd MiB`);
  const step = Math.ceil(waves / SAMPLES);
  for (let first = 1; first <= waves; first += STRETCH) {
    const last = Math.min(first + STRETCH - 1, waves);
    // Aborts cost one request each, however many there are; a limit would replace the instance now and then.
    const subject = await Subject.start(isolation, { traps: 2 ** 31 - 1 });
    try {
      await soakSubject(subject, isolation, { first, last, step }, seed);
    } finally {
      progress("");
      await subject.dispose();
    }
  }
  console.log(styleText("green", `  every answer was right, and nothing was left\n`));
}

interface Stretch {
  first: number;
  last: number;
  /** So many waves for each line of the table. */
  step: number;
}

async function soakSubject(subject: Subject, isolation: Isolation, { first, last, step }: Stretch, seed: number) {
  let expectedPages = 0;
  for (let wave = first; wave <= last; wave++) {
    await sendWave(subject, isolation, wave, seed);
    const { counters, left } = await subject.settled();
    if (left.length > 0) throw new Error(`after ${wave} waves of seed ${seed} there is left: ${left.join("; ")}`);
    const pages = Math.max(...(await subject.states()).map(([, , pages]) => pages));
    if (wave < first + WARM_UP_WAVES) expectedPages = Math.max(expectedPages, pages);
    else if (pages > expectedPages) throw new Error(`after ${wave} waves a guest has grown to ${pages} pages`);
    const cells = [wave * WAVE, counters.traps, counters.killed, counters.instantiated, pages * 64, workerdMiB()];
    const line = cells.map((cell) => (cell?.toLocaleString("en") ?? "-").padStart(11)).join(" ");
    if (wave === last || (wave - first + 1) % step === 0) {
      progress("");
      console.log(line);
    } else {
      progress(line);
    }
  }
}

/** One burst after the other; the next one comes when half of the one before is answered. */
async function sendWave(subject: Subject, isolation: Isolation, wave: number, seed: number): Promise<void> {
  const all: Promise<void>[] = [];
  const visits = drawn(recipesFor(isolation), WAVE, seed * 1_000_003 + wave);
  for (let first = 0; first < WAVE; first += BURST) {
    let answered = 0;
    await new Promise<void>((resolve, reject) => {
      for (const visit of visits.slice(first, first + BURST)) {
        const sent = send(subject, visit).then((answer) => {
          if (!isExpected(visit, answer))
            throw new Error(`wave ${wave} of seed ${seed}: /${visit.how}/${visit.id} was answered ${answer}`);
          if (++answered === BURST / 2) resolve();
        });
        sent.catch(reject);
        all.push(sent);
      }
    });
  }
  await Promise.all(all);
}

/** What the processes of workerd hold in memory, where the system tells. */
function workerdMiB(): number | undefined {
  try {
    const children = execFileSync("pgrep", ["-P", String(process.pid), "workerd"], { encoding: "utf8" });
    const kib = children
      .split("\n")
      .filter(Boolean)
      .map((pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0));
    return Math.round(kib.reduce((sum, one) => sum + one, 0) / 1024);
  } catch {
    return undefined;
  }
}

await main().catch((error: Error) => {
  console.error(styleText("red", error.message));
  process.exitCode = 1;
});
