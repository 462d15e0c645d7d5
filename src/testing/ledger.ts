// Ledger: one instance's operations in flight, by an account that owes nothing to the host's own, and whether what
// crosses the border agrees with it.

import { CancelResult, MORE, Opcode, RECLAIM, Status } from "../../assembly/abi.ts";
import type { PlatformEvent } from "./platform.ts";
import { operationOf, tokenOf } from "./records.ts";
import type { CompletionRecord, SubmissionRecord } from "./records.ts";
import type { Simulation } from "./simulation.ts";

/** One submission that has no final completion yet. */
interface Flight {
  readonly event: PlatformEvent | undefined;
  readonly opcode: Opcode;
  /** When it must have ended. */
  readonly deadline: number;
  /** When it fires, if it is a timer. */
  readonly due: number;
  /** The token that it names, if it is a cancel. */
  readonly victim: string;
  /** Grows with each submission of the instance. */
  readonly order: number;
}

export interface LedgerOptions {
  /** Operations that the host may have in flight in one instance. */
  inFlightMax: number;
  /** Milliseconds after which the host ends a Wait by itself. */
  waitMs: number;
  /** Whether time is exact: deadlines are met to the millisecond unless the process stalls or its clock stands still. */
  exact: boolean;
  /** Whether the clock goes, exactly or not. */
  goes: boolean;
}

/** Final completions that are remembered. */
const FINALS_MAX = 32;
/** The host's timers count whole milliseconds, rounded up. */
const TIMER_PRECISION_MS = 1;
/** What the host admits although it is full. */
const RELIEVING: ReadonlySet<Opcode> = new Set([Opcode.Cancel, Opcode.Close, Opcode.Respond]);

export class Ledger {
  /** The last ones, latest first. */
  readonly finals: CompletionRecord[] = [];
  readonly #world: Simulation;
  readonly #options: LedgerOptions;
  /** By token. A list, as nothing keeps two contexts of a guest from using the same token. */
  readonly #flights = new Map<string, Flight[]>();
  /** For each event, the timer that fired last. */
  readonly #fired = new Map<PlatformEvent, Flight>();
  #inFlight = 0;
  #submissions = 0;

  constructor(world: Simulation, options: LedgerOptions) {
    this.#world = world;
    this.#options = options;
  }

  #violation(what: string): void {
    this.#world.platform.violations.push(what);
  }

  /** The host has admitted this on behalf of an event, or of the instance. */
  admit(record: SubmissionRecord, event: PlatformEvent | undefined): void {
    const { opcode, deadlineMs } = record;
    const now = this.#world.clock.now();
    const [argument0, argument1] = record.arguments;
    const flight: Flight = {
      event: opcode === Opcode.Accept ? undefined : event,
      opcode,
      deadline: now + Math.min(deadlineMs || Infinity, opcode === Opcode.Wait ? this.#options.waitMs : Infinity),
      due: opcode === Opcode.Timer ? now + argument0 : Infinity,
      victim: tokenOf({ slot: argument0, generation: argument1 }),
      order: this.#submissions++,
    };
    if (++this.#inFlight > this.#options.inFlightMax && !RELIEVING.has(opcode))
      this.#violation(`G4: ${this.#inFlight} operations are in flight, of at most ${this.#options.inFlightMax}`);
    const token = tokenOf(record);
    this.#flights.set(token, [...(this.#flights.get(token) ?? []), flight]);
  }

  /** The host has delivered this on the stack of an event. */
  deliver(record: CompletionRecord): void {
    const { running } = this.#world.platform;
    const token = tokenOf(record);
    const flights = this.#flights.get(token) ?? [];
    const isReclaim = (record.flags & RECLAIM) !== 0;
    const mine = flights.findIndex(({ event }) => (isReclaim ? event?.isLost : event === running || !event));
    if (mine < 0) return this.#violation(foreign(token, flights[0]));
    const flight = flights[mine]!;
    const what = `${operationOf(flight.opcode)} ${token}`;
    if (record.flags & MORE) {
      if (flight.opcode !== Opcode.Accept) this.#violation(`G3: ${what} has one completion, but this says MORE`);
      return;
    }
    flights.splice(mine, 1);
    this.#inFlight--;
    if (flights.length === 0) this.#flights.delete(token);
    if (isReclaim) return;
    this.#checkTime(flight, record.status, what);
    this.#checkOrder(flight, record.status, what);
    this.#checkCancel(flight, record, what);
    this.finals.unshift(record);
    this.finals.length = Math.min(this.finals.length, FINALS_MAX);
  }

  #checkTime({ deadline, due }: Flight, status: Status, what: string): void {
    if (!this.#options.exact) return;
    const now = this.#world.clock.now();
    const latest = Math.min(deadline, due) + TIMER_PRECISION_MS;
    if (status === Status.TimedOut && now < deadline)
      this.#violation(`G12: ${what} timed out ${deadline - now} ms early`);
    if (status === Status.Ok && due < Infinity && now < due)
      this.#violation(`G12: ${what} fired ${due - now} ms early`);
    if (now > latest) this.#violation(`G12: ${what} ended ${now - latest} ms late`);
  }

  /** Timers of one event fire by due time, and equal ones by order of submission. */
  #checkOrder(flight: Flight, status: Status, what: string): void {
    if (flight.opcode !== Opcode.Timer || status !== Status.Ok || !flight.event || !this.#options.goes) return;
    const last = this.#fired.get(flight.event);
    if (last && (last.due - flight.due || last.order - flight.order) > 0)
      this.#violation(`G10: ${what} fired after one that is due later`);
    this.#fired.set(flight.event, flight);
  }

  #checkCancel({ opcode, victim }: Flight, { status, auxiliary }: CompletionRecord, what: string): void {
    if (opcode !== Opcode.Cancel || status !== Status.Ok) return;
    const { running } = this.#world.platform;
    if (this.#flights.get(victim)?.some(({ event }) => event === running))
      this.#violation(`G7: ${what} is done, but ${victim} is still in flight`);
    const final = this.finals.find((other) => tokenOf(other) === victim);
    if (auxiliary === CancelResult.Won && final && final.status !== Status.Cancelled)
      this.#violation(`G7: ${what} won, but ${victim} ended with ${Status[final.status]}`);
  }

  /** What was admitted on behalf of these events and has no final completion. */
  unfinished(events: ReadonlySet<PlatformEvent>): string[] {
    return [...this.#flights].flatMap(([token, flights]) =>
      flights
        .filter(({ event }) => event && events.has(event))
        .map(({ event, opcode }) => `G3: ${operationOf(opcode)} ${token} of ${event!.name} never completed`),
    );
  }
}

function foreign(token: string, flight: Flight | undefined): string {
  if (!flight) return `G3: a completion of ${token}, which is not in flight`;
  return `G19: a completion of ${token}, which belongs to ${flight.event?.name}`;
}
