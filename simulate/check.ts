// Check: whether a request was answered as its program, and what the world did to it, allow.

import { CancelResult, Status } from "../assembly/abi.ts";
import type { ErrorReport, Isolation } from "../src/index.ts";
import type { Answer, Simulation } from "../src/testing/index.ts";
import { ORIGIN, bodyOf, checksum, tagOf } from "./facts.ts";
import type { Facts } from "./facts.ts";
import type { Operation, Program, Step } from "./program.ts";

/** What an answer depends on besides its program. */
export interface Circumstances {
  isolation: Isolation;
  /** Whether the host may refuse: its limits are low. */
  tight: boolean;
  /** Calls that the platform allows a request. */
  subrequests: number;
  facts: Facts;
  reports: readonly ErrorReport[];
  /** Bytes of a request's body. */
  bodyBytes: number;
  /** Whether the faults had stopped when it came. */
  peaceful: boolean;
  /** Whether the host was shut down at some time. */
  shutdown: boolean;
}

/** One line of a program's log. */
interface Entry {
  index: number;
  /** Which of the step's lines. */
  phase: number;
  step: Step;
  values: string[];
}

const TRAPS: ReadonlySet<Operation> = new Set(["abort", "unreachable", "outside"]);
/** What a caller surely hears of. */
const ANSWERS: ReadonlySet<Operation> = new Set(["answer", "forward"]);
const TWO_PHASES: ReadonlySet<Operation> = new Set(["fetch-read", "fetch-close"]);

/** Throws what is wrong with an answer. */
export function check(program: Program, answer: Answer, circumstances: Circumstances, world: Simulation): void {
  new Checker(program, answer, circumstances, world).check();
}

class Checker {
  constructor(
    private readonly program: Program,
    private readonly answer: Answer,
    private readonly circumstances: Circumstances,
    private readonly world: Simulation,
  ) {}

  check(): void {
    const { response, text } = this.answer;
    if (response.status === 500) return this.#failure(text);
    if (response.status === 503 && this.circumstances.shutdown) return;
    if (text.startsWith(`${this.program.id}|`)) return this.#log(text);
    if (this.#isForwarded() || this.#isStreamed()) return;
    this.#wrong(`no step of the program gives this answer: ${response.status} ${text.slice(0, 200)}`);
  }

  #wrong(what: string): never {
    throw new Error(`request ${this.program.id}: ${what}`);
  }

  #has(...operations: Operation[]): boolean {
    return this.program.steps.some(({ operation }) => operations.includes(operation));
  }

  // Failures.

  #failure(text: string): void {
    const { error } = JSON.parse(text) as { error: string };
    if (error === "trap") return this.#trapped();
    if (error === "unanswered") return this.#unanswered();
    // Somebody else's trap.
    if (error === "condemned" && this.circumstances.isolation === "shared" && !this.circumstances.peaceful) return;
    this.#wrong(`it failed as ${error}`);
  }

  #trapped(): void {
    const said = this.circumstances.reports.filter(
      ({ kind, request }) => kind === "trap" && request?.includes(`/${this.program.id}/`),
    );
    if (said.some(({ message }) => message.startsWith("G1"))) this.#wrong(said[0]!.message);
    if (said.length !== 1) this.#wrong(`it trapped, and there are ${said.length} reports of it`);
    // The guest library gives up on who submits again and again while the host is full.
    if (this.circumstances.tight && said[0]!.message.startsWith("resubmitted while the host refuses")) return;
    if (!this.#has(...TRAPS)) this.#wrong(`it trapped, but no step of its program does: ${said[0]!.message}`);
  }

  #unanswered(): void {
    if (this.#has(...ANSWERS) && !this.#has(...TRAPS)) this.#wrong("nobody answered it, but its program does");
  }

  // Answers.

  #isForwarded(): boolean {
    const { response, bytes, complete } = this.answer;
    if (this.answer.text === "upstream failed") return this.#has("forward") && [502, 504].includes(response.status);
    return this.program.steps.some((step, index) => {
      if (step.operation !== "forward" || response.status !== 200) return false;
      return isSame(bytes, bodyOf(this.program.id, index, step.x), complete);
    });
  }

  #isStreamed(): boolean {
    const { bytes, complete } = this.answer;
    return this.#has("stream") && isSame(bytes, bodyOf(this.program.id, 99, this.circumstances.bodyBytes), complete);
  }

  #log(text: string): void {
    // The caller has left.
    if (!this.answer.complete) return;
    const entries = this.#entries(text);
    for (const [at, entry] of entries.entries()) {
      this.#order(entry, entries.slice(0, at));
      this.#value(entry);
    }
    for (const [at, entry] of entries.entries())
      if (entry.step.operation === "cancel") this.#cancelled(entry, entries.slice(0, at), entries.slice(at + 1));
  }

  #entries(text: string): Entry[] {
    const phases = new Map<number, number>();
    return text
      .split("|")
      .slice(1, -1)
      .map((line) => {
        const [first, ...values] = line.split(":");
        const index = Number(first);
        const step = this.program.steps[index] ?? this.#wrong(`the log has a step ${first}, the program does not`);
        const phase = (phases.get(index) ?? 0) + 1;
        phases.set(index, phase);
        return { index, phase, step, values };
      });
  }

  /** Once for each operation, and after what it waits for. */
  #order({ index, phase, step }: Entry, before: Entry[]): void {
    const phases = TWO_PHASES.has(step.operation) ? 2 : 1;
    if (phase > phases) this.#wrong(`step ${index} ended ${phase} times`);
    const parent = before.findLast((other) => other.index === step.parent);
    if (step.parent >= 0 && !parent) this.#wrong(`step ${index} ended before step ${step.parent}`);
    if (phase === 2 && before.find((other) => other.index === index)!.values[0] !== "0")
      this.#wrong(`step ${index} went on after it had failed`);
  }

  #value(entry: Entry): void {
    const { index, step, values } = entry;
    const status = Number(values[0]) as Status;
    const got = `step ${index} (${step.operation}) got ${Status[status] ?? status}`;
    if (step.operation === "chance") return this.#chance(values);
    if (step.operation === "cancel") return;
    if (status === Status.Ok) {
      const expected = this.#expected(entry);
      if (expected !== undefined && !expected.includes(values.slice(1).join(":")))
        this.#wrong(`${got} with ${values.slice(1).join(":")}, not with ${expected.join(" or ")}`);
    } else if (!this.#mayFail(entry, status)) this.#wrong(`${got}, for no reason`);
  }

  #chance([random = "", now = ""]: string[]): void {
    const inRange = Number(random) >= 0 && Number(random) < 1;
    if (!inRange || !(Number(now) <= this.world.clock.now())) this.#wrong(`it drew ${random} at ${now}`);
  }

  /** What a success may have brought; undefined if any. */
  #expected({ index, phase, step: { operation, x } }: Entry): string[] | undefined {
    const { id } = this.program;
    const { facts, bodyBytes } = this.circumstances;
    const body = (): string => checksum(bodyOf(id, index, x));
    switch (operation) {
      case "fetch":
      case "post":
        return [`200:${body()}`];
      case "fetch-read":
        return [phase === 1 ? "200" : body()];
      case "fetch-close":
        return [phase === 1 ? "200" : ""];
      case "fetch-leave":
        return ["200"];
      case "body":
        return [checksum(bodyOf(id, 99, bodyBytes))];
      case "get":
      case "get-opened":
        return [facts.gets.get(tagOf(id, index)) ?? "nothing: the store was not asked"];
      case "list":
        return [...facts.lists];
      case "error":
        return ["nothing: it must fail"];
      case "timer":
      case "noop":
      case "chain":
      case "put":
      case "delete":
      case "collect":
      case "memory":
      case "answer":
      case "stream":
      case "forward":
        return [""];
      default:
        return undefined;
    }
  }

  #mayFail({ index, step }: Entry, status: Status): boolean {
    const { tight, subrequests, bodyBytes, facts, shutdown } = this.circumstances;
    const { operation, deadline, x, y } = step;
    if (tight && (status === Status.Again || status === Status.TooBig)) return true;
    const isFetch = ["fetch", "post", "fetch-read", "fetch-leave", "fetch-close", "forward"].includes(operation);
    const isKv = ["get", "get-opened", "put", "delete", "list"].includes(operation);
    const isLimited = subrequests < Infinity;
    switch (status) {
      case Status.ShutDown:
        return shutdown;
      case Status.Cancelled:
        return this.program.steps.some((other) => other.operation === "cancel" && other.x === index);
      case Status.TimedOut:
        return deadline > 0 && !["chain", "error"].includes(operation);
      case Status.NotFound:
        return operation.startsWith("get") && facts.gets.get(tagOf(this.program.id, index)) === "none";
      case Status.TooBig: {
        const length = operation === "body" ? bodyBytes : x;
        return y > 0 && length > y && ["body", "fetch", "fetch-read"].includes(operation);
      }
      case Status.Network:
        return isFetch && (isLimited || this.#struck("network", index, x));
      case Status.Aborted:
        return isFetch && this.#struck("bodyBroken", index, x);
      case Status.RateLimited:
        return isKv && this.world.struck.some(({ fault }) => fault === "kvRateLimited");
      case Status.Failed:
        return isKv && isLimited;
      case Status.Closed:
        return operation === "body" && this.#bodyIsTaken(index);
      case Status.NotPermitted:
        return operation === "error" && (x === 0 || x === 3);
      case Status.BadResource:
        // What a full host does not open is no resource.
        return (operation === "error" && x === 1) || (operation === "get-opened" && tight);
      case Status.Invalid:
        return operation === "error" && x === 2;
      default:
        return false;
    }
  }

  /** Another step reads the request's body, or sends it back. */
  #bodyIsTaken(index: number): boolean {
    return this.program.steps.some(({ operation }, other) => other !== index && ["body", "stream"].includes(operation));
  }

  #struck(fault: "network" | "bodyBroken", index: number, bytes: number): boolean {
    const method = this.program.steps[index]!.operation === "post" ? "POST" : "GET";
    const what = `${method} ${ORIGIN}/${this.program.id}/${index}?bytes=${bytes}`;
    return this.world.struck.some((strike) => strike.fault === fault && strike.what === what);
  }

  // Cancels.

  #cancelled(entry: Entry, before: Entry[], after: Entry[]): void {
    const victim = entry.step.x;
    const result = Number(entry.values[0]) as CancelResult;
    const ended = before.some(({ index }) => index === victim);
    const next = after.find(({ index }) => index === victim);
    if (result === CancelResult.Won && next && Number(next.values[0]) !== Status.Cancelled)
      this.#wrong(`the cancel in step ${entry.index} won, but step ${victim} ended with ${next.values[0]}`);
    if (result === CancelResult.TooLate && !ended)
      this.#wrong(`the cancel in step ${entry.index} came too late, but step ${victim} had not ended`);
  }
}

/** Whether this is the content, or the beginning of it. */
function isSame(bytes: Uint8Array, content: Uint8Array, complete: boolean): boolean {
  if (complete ? bytes.length !== content.length : bytes.length > content.length) return false;
  return bytes.every((byte, at) => byte === content[at]);
}
