// Proactor: takes completions from the queue and calls their handlers, one after the other, never inside another.

import { Runtime } from "shared/runtime";
import { DISPATCHED, HANDLER_SHIFT, MORE, RECLAIM, Status } from "./abi";
import { takeAborted } from "./abort";
import { Completion, completionAt, fill } from "./completion-queue";
import { takeCpuWarning } from "./cpu-limit";
import { reclaim, recoverFlights, serveFlights, setServing } from "./flight";
import {
  hasFlights,
  isCancelled,
  isLive,
  isMember,
  lastRefused,
  peek,
  release,
  takeRefused,
  tokenOf,
} from "./handler-table";
import { submitClose } from "./operation/close";
import { IN_TURN, discard, flush, inTurn, setInTurn } from "./submission-queue";

/** Rounds in which refused handlers may try again on the same turn, when nothing can have become free. */
const REFUSED_ROUNDS_MAX = 16;
/** The same where there are composites: they may have that many members, and try one after the other. */
const MEMBER_ROUNDS_MAX = 16_384;
/** With the minimal runtime nobody else collects; this often it is worth the walk over the heap. */
const COLLECT_AFTER_DISPATCHES: i32 = 256;

// This turn's completions, and how many of them were dispatched: here, so that `recover` finds what an abort left.
let count: i32 = 0;
let dispatched: i32 = 0;
let stackAtEntry: usize = 0;
let uncollected: i32 = 0;
let pagesAtCollection: i32 = 0;

/**
 * One turn: dispatches at most `budget` completions of the current context and submits what their handlers started.
 * Returns how many were dispatched. A nested call is refused with Again and changes nothing.
 */
export function run(budget: i32): i32 {
  if (takeAborted()) recover();
  if (inTurn) return Status.Again;
  if (budget <= 0) return Status.Invalid;
  if (ASC_RUNTIME == Runtime.Minimal) collectBetweenTurns();
  setInTurn(IN_TURN);
  stackAtEntry = __stack_pointer;
  count = fill(budget);
  for (dispatched = 0; dispatched < count;) {
    // Better one request that fails with a report than an isolate that is ended with all its requests.
    assert(!takeCpuWarning(), "the CPU limit is near");
    dispatch(completionAt(dispatched++));
  }
  if (hasFlights) serveFlights();
  flush();
  deliverRefusals();
  setInTurn(0);
  return count;
}

function dispatch(completion: Completion): void {
  if (!isLive(completion.token)) dispose(completion);
  else if (completion.flags & RECLAIM) reclaim(completion.token);
  else deliver(completion);
}

function dispose(completion: Completion): void {
  if (completion.resource) submitClose(completion.resource);
}

function deliver(completion: Completion): void {
  const slot = completion.token_slot;
  const cancelled = isCancelled(slot);
  const ofFlight = isMember(slot);
  const handler = completion.flags & MORE ? peek(slot) : release(slot);
  if (cancelled) overrule(completion);
  completion.flags |= DISPATCHED;
  if (hasFlights) setServing(handler, ofFlight);
  if (handler) handler.onComplete(completion);
}

/** Says in the last record, for whoever watches, which function is running as a handler. */
export function noteHandler(fn: usize): void {
  const completion = completionAt(dispatched - 1);
  completion.flags = (load<u32>(fn) << HANDLER_SHIFT) | (completion.flags & (MORE | DISPATCHED));
}

/** The cancel won: the handler hears so, and a result that nobody will see is given back. */
function overrule(completion: Completion): void {
  dispose(completion);
  completion.status = Status.Cancelled;
  completion.resource = 0;
  completion.payload_bytes = 0;
  completion.auxiliary = 0;
}

/**
 * Calls the handlers of refused submissions with Again: on this turn, because the next may be another context's, and
 * after all others, so never inside the call that submitted. They may answer their exchange or give up; what they
 * submit anew is refused again until a completion makes room, hence the bound.
 */
export function deliverRefusals(): void {
  let rounds = 0;
  for (let last = lastRefused(); last; last = lastRefused()) {
    const roundsMax = hasFlights ? MEMBER_ROUNDS_MAX : REFUSED_ROUNDS_MAX;
    assert(rounds++ < roundsMax, "resubmitted while the host refuses: wait for a completion first");
    let slot: u32;
    do {
      slot = takeRefused();
      deliverRefusal(slot);
    } while (slot != last);
    if (hasFlights) serveFlights();
    flush();
  }
}

function deliverRefusal(slot: u32): void {
  // The first record of the queue is free again: everything in it was dispatched.
  const completion = completionAt(0);
  memory.fill(changetype<usize>(completion), 0, offsetof<Completion>());
  completion.token = tokenOf(slot);
  completion.status = Status.Again;
  deliver(completion);
}

/**
 * Takes back what an aborted turn left behind: its shadow stack, its unsent submissions, and the slots of those
 * handlers that will hear nothing more, because their context ended with the abort.
 */
export function recover(): void {
  if (!inTurn) return;
  __stack_pointer = stackAtEntry;
  discard();
  while (lastRefused()) reclaim(tokenOf(takeRefused()));
  while (dispatched < count) forgo(completionAt(dispatched++));
  if (hasFlights) recoverFlights();
  setInTurn(0);
}

function forgo(completion: Completion): void {
  if (!(completion.flags & MORE) && isLive(completion.token)) reclaim(completion.token);
}

/** The minimal runtime sees no stack, so it may collect only here, where none of ours is left. */
function collectBetweenTurns(): void {
  uncollected += dispatched;
  // Memory that grew was filled with large objects, or will be filled with small ones more slowly than before.
  if (uncollected < COLLECT_AFTER_DISPATCHES && memory.size() == pagesAtCollection) return;
  uncollected = 0;
  pagesAtCollection = memory.size();
  __collect();
}
