// Fuzz: scripts from one seed after the other, in either direction, until so many cases were played or one has failed.

import { readFileSync } from "node:fs";
import { path } from "../../scripts/paths.ts";
import { wat } from "../../scripts/wat.ts";
import { guestParts, guestScript } from "./guest-script.ts";
import type { GuestScript } from "./guest-script.ts";
import { GuestSession } from "./guest-session.ts";
import { hostParts, hostScript } from "./host-script.ts";
import type { HostScript } from "./host-script.ts";
import { MODULE_TEXT, attackHost } from "./host-session.ts";
import type { Outcome } from "./host-session.ts";
import { shrink } from "./shrink.ts";
import type { Part } from "./shrink.ts";

/** Who is attacked: the host by a hostile guest, or a guest by a hostile host. */
export const DIRECTIONS = ["host", "guest"] as const;
export type Direction = (typeof DIRECTIONS)[number];

export type Script = HostScript | GuestScript;

export interface Failure {
  direction: Direction;
  seed: number;
  /** Cases played before. */
  cases: number;
  violation: string;
  /** The smallest found that fails. */
  script: Script;
}

const SHRINK_ATTEMPTS = 4000;

export class Fuzzer {
  readonly #host: WebAssembly.Module;
  readonly #guest: WebAssembly.Module;

  private constructor(host: WebAssembly.Module, guest: WebAssembly.Module) {
    this.#host = host;
    this.#guest = guest;
  }

  static async start(): Promise<Fuzzer> {
    const guest = new WebAssembly.Module(readFileSync(path("build/test/fuzz.wasm")));
    return new Fuzzer(await wat(MODULE_TEXT), guest);
  }

  script(direction: Direction, seed: number): Script {
    return direction === "host" ? hostScript(seed) : guestScript(seed);
  }

  async play(script: Script): Promise<Outcome> {
    return "turns" in script ? attackHost(script, this.#host) : new GuestSession(script, this.#guest).play();
  }

  /** Plays scripts until there were so many cases. Returns the first failure, shrunk. */
  async run(
    direction: Direction,
    seed: number,
    cases: number,
    progress: (cases: number) => void = () => {},
  ): Promise<Failure | undefined> {
    let done = 0;
    for (let next = seed; done < cases; next++) {
      const script = this.script(direction, next);
      const outcome = await this.play(script);
      if (outcome.violation !== undefined) return this.#failure(direction, next, done, script);
      done += outcome.cases;
      progress(done);
    }
    return undefined;
  }

  async #failure(direction: Direction, seed: number, cases: number, whole: Script): Promise<Failure> {
    const fails = async (script: Script) => (await this.play(script)).violation !== undefined;
    const script = await shrink<Script>(whole, parts, fails, SHRINK_ATTEMPTS);
    const violation = (await this.play(script)).violation!;
    return { direction, seed, cases, violation, script };
  }
}

function parts(script: Script): Part<Script>[] {
  return "turns" in script ? hostParts(script) : guestParts(script);
}
