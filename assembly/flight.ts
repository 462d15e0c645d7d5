// Flight: what is in flight here and not on the host, because it is made of other operations.
//
// A flight is the handler of its members, and has a slot of the handler table, and so a token, of which the host never
// hears. What it has to do by itself waits in a list that `run` works off on the same turn, so no handler ever runs inside
// another. A guest without flights pays nothing: asc sees that there never is one, and leaves out what is for them.

import { CancelResult, Status } from "./abi";
import { CompletionHandler } from "./completion-handler";
import { Completion } from "./completion-queue";
import {
  Token,
  cancelResult,
  claim,
  hasFlights,
  isFlight,
  isMember,
  markFlight,
  peek,
  release,
  tokenOf,
} from "./handler-table";

// Flights that have something to do on this turn.
let first: Flight | null = null;
let last: Flight | null = null;
/** The flight whose code runs, or 0: what an abort leaves in the middle of something. */
let serving: Token = 0;

export abstract class Flight extends CompletionHandler {
  // As a Completion lies in memory, for that is what a flight is to its handler.
  private token_slot: u32;
  private token_generation: u32;
  protected status: Status;
  protected flags: u32;
  protected resource: u32;
  protected payload: usize;
  protected payload_bytes: u32;
  protected auxiliary: u32;

  protected handler: CompletionHandler | null;
  behind: Flight | null;
  private isQueued: bool;

  /** Does what there is to do on this turn. */
  abstract serve(): void;

  /** Its request has ended: it will not complete. Returns the handler that does not hear of it. */
  abstract forgo(): CompletionHandler | null;

  get completion(): Completion {
    return changetype<Completion>(changetype<usize>(this));
  }

  get token(): Token {
    return this.completion.token;
  }

  /** Takes a slot. */
  protected register(): void {
    if (offsetof<Flight>("token_slot") != 0) ERROR("a flight does not begin with its completion");
    if (offsetof<Flight>("auxiliary") + 4 != offsetof<Completion>())
      ERROR("a flight's completion is not laid out as one");
    const slot = claim(changetype<usize>(this));
    markFlight(slot);
    this.completion.token = tokenOf(slot);
  }

  /** Has `serve` called on this turn. */
  enqueue(): void {
    if (this.isQueued) return;
    this.isQueued = true;
    append(this);
  }

  /** Leaves the list, and returns the one behind it. */
  unlink(): Flight | null {
    const behind = this.behind;
    this.behind = null;
    this.isQueued = false;
    return behind;
  }
}

function append(flight: Flight): void {
  const previous = last;
  if (first && previous) previous.behind = flight;
  else first = flight;
  last = flight;
}

function takeFirst(): Flight {
  // No `!`: its message would be in every guest, and this code is not.
  const flight = changetype<Flight>(changetype<usize>(first));
  first = flight.unlink();
  return flight;
}

/** The flight that has this slot. */
export function flightAt(slot: u32): Flight {
  return changetype<Flight>(peek(slot));
}

/** Says whose handler is called next. `ofFlight`: it is a flight. */
export function setServing(handler: usize, ofFlight: bool): void {
  serving = ofFlight ? changetype<Completion>(handler).token : 0;
}

/** Lets all flights do what they have to do, those too that get something to do meanwhile. */
export function serveFlights(): void {
  while (first) {
    const flight = takeFirst();
    serving = flight.token;
    flight.serve();
  }
  serving = 0;
}

/** Ends what an aborted turn has left in the middle of something. */
export function recoverFlights(): void {
  if (serving) reclaimUpwards(serving);
  serving = 0;
  while (first) {
    reclaimUpwards(takeFirst().token);
  }
}

/** Frees the slot of an operation in flight that will not complete, and those of the flights that waited for it. */
export function reclaim(token: Token): void {
  if (hasFlights) reclaimUpwards(token);
  else release(<u32>token);
}

function reclaimUpwards(token: Token): void {
  while (cancelResult(token) == CancelResult.Won) {
    const slot = <u32>token;
    const ofFlight = isFlight(slot);
    const ofMember = isMember(slot);
    let handler = release(slot);
    if (ofFlight) handler = changetype<usize>(changetype<Flight>(handler).forgo());
    if (!ofMember) return;
    token = changetype<Completion>(handler).token;
  }
}
