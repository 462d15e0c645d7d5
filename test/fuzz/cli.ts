// `npm run fuzz`: many cases, progress on the terminal, and for a failure what repeats it.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { wholeNumber } from "../../scripts/terminal.ts";
import { path } from "../../scripts/paths.ts";
import { DIRECTIONS, Fuzzer } from "./fuzz.ts";
import type { Direction, Failure } from "./fuzz.ts";

const HELP = `Plays hostile guests against the host, and hostile hosts against a guest, by scripts that a seed decides.

  npm run fuzz -- [--only host|guest] [--cases n] [--seed n] [--replay file]

  --only     one direction: "host" attacks the host, "guest" attacks a guest
  --cases    how many cases in all; 1,000,000 if not given. A case is one submission, one completion or one call
  --seed     of the first script; 1 if not given. The next script has the next seed
  --replay   plays one script of a file, such as those in test/fuzz/cases/

A failure is shrunk, and kept in build/fuzz/. Move the file to test/fuzz/cases/ when what it has found is mended.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      cases: { type: "string", default: "1000000" },
      seed: { type: "string", default: "1" },
      replay: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [cases, seed] = [wholeNumber("cases", values.cases), wholeNumber("seed", values.seed)];
  const only = DIRECTIONS.filter((direction) => (values.only ?? direction) === direction);
  if (only.length === 0) throw new Error(`--only takes ${DIRECTIONS.join(" or ")}, not ${values.only}`);
  // What no test awaits must not go unseen.
  process.on("unhandledRejection", (error) => {
    console.error("a promise was rejected and nobody handled it:", error);
    process.exit(1);
  });
  if (values.replay !== undefined) return replay(values.replay);
  for (const direction of only) await run(direction, seed, Math.ceil(cases / only.length));
}

async function run(direction: Direction, seed: number, cases: number): Promise<void> {
  const start = performance.now();
  let shownAt = 0;
  const line = (done: number): string => {
    const perSecond = Math.round((done / (performance.now() - start)) * 1000);
    return `  ${direction.padEnd(6)} ${done.toLocaleString("en")} cases, ${perSecond.toLocaleString("en")} a second`;
  };
  const show = (done: number): void => {
    if (done - shownAt < cases / 20) return;
    shownAt = done;
    if (process.stdout.isTTY) process.stdout.write(`\r${line(done)}`);
  };
  const failure = await (await Fuzzer.start()).run(direction, seed, cases, show);
  if (process.stdout.isTTY) process.stdout.write("\r");
  if (!failure) return console.log(`${line(cases)}, nothing found`);
  report(failure);
}

function report({ direction, seed, cases, violation, script }: Failure): void {
  mkdirSync(path("build/fuzz"), { recursive: true });
  const file = `build/fuzz/${direction}-${seed}.json`;
  writeFileSync(path(file), `${JSON.stringify({ violation, script }, null, 1)}\n`);
  console.error(`  ${direction.padEnd(6)} after ${cases.toLocaleString("en")} cases, with seed ${seed}: ${violation}`);
  console.error(`  shrunk: ${file}\n  again:  npm run fuzz -- --only ${direction} --seed ${seed} --cases 1`);
  console.error(`          npm run fuzz -- --only ${direction} --replay ${file}`);
  process.exitCode = 1;
}

async function replay(file: string): Promise<void> {
  const { script } = JSON.parse(readFileSync(path(file), "utf8"));
  const { violation } = await (await Fuzzer.start()).play(script);
  console.log(violation ?? "nothing found");
  if (violation !== undefined) process.exitCode = 1;
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
