// Proactor: takes completions from the queue and calls their handlers, one after the other, never inside another.

import { Runtime } from "shared/runtime";
import {
  COMPLETION_PAYLOAD_BYTES,
  COMPLETION_RESOURCE,
  COMPLETION_STATUS,
  DISPATCHED,
  HANDLER_SHIFT,
  MORE,
  RECLAIM,
  Status,
} from "./abi";
import { abort, takeAborted } from "./abort";
import { CompletionHandler } from "./completion-handler";
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

// The completions in the queue, and how many of them were dispatched: here, so that `recover` finds what an abort left.
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
  const taken = fill(budget);
  if (ASC_RUNTIME == Runtime.Minimal) uncollected += taken;
  dispatchAll(taken);
  if (hasFlights) serveFlights();
  flush();
  deliverRefusals();
  setInTurn(0);
  return taken;
}

/** One function, so that all handlers have one frame on the shadow stack, which keeps them from the collector. */
function dispatchAll(records: i32): void {
  count = records;
  for (dispatched = 0; dispatched < count;) {
    // Better one request that fails with a report than an isolate that is ended with all its requests.
    if (takeCpuWarning()) abort("the CPU limit is near");
    const completion = completionAt(dispatched++);
    const handler = receive(completion);
    if (handler) changetype<CompletionHandler>(handler).onComplete(completion);
  }
}

/** What is to be done for a completion but to call its handler, whose address this returns; or 0. */
function receive(completion: Completion): usize {
  if (!isLive(completion.token)) {
    dispose(completion);
    return 0;
  }
  if (completion.flags & RECLAIM) {
    reclaim(completion.token);
    return 0;
  }
  return conclude(completion);
}

function dispose(completion: Completion): void {
  if (completion.resource) submitClose(completion.resource);
}

function conclude(completion: Completion): usize {
  const slot = completion.token_slot;
  const cancelled = isCancelled(slot);
  const ofFlight = isMember(slot);
  const handler = completion.flags & MORE ? peek(slot) : release(slot);
  // Nothing holds the handler now. But what this submits gets the slot that has become free, so the collector cannot run.
  if (cancelled) overrule(completion);
  completion.flags |= DISPATCHED;
  if (hasFlights) setServing(handler, ofFlight);
  return handler;
}

/** Says in the record, for whoever watches, which function is running as a handler. */
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
    if (rounds++ == roundsMax) abort("resubmitted while the host refuses");
    let slot: u32;
    do {
      slot = takeRefused();
      writeRefusal(slot);
      dispatchAll(1);
    } while (slot != last);
    if (hasFlights) serveFlights();
    flush();
  }
}

/** Into the first record of the queue, which is free again: everything in it was dispatched. */
function writeRefusal(slot: u32): void {
  const completion = completionAt(0);
  const record = changetype<usize>(completion);
  completion.token = tokenOf(slot);
  store<u64>(record, <u32>Status.Again, COMPLETION_STATUS);
  store<u64>(record, 0, COMPLETION_RESOURCE);
  store<u64>(record, 0, COMPLETION_PAYLOAD_BYTES);
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
  // Memory that grew was filled with large objects, or will be filled with small ones more slowly than before.
  if (uncollected < COLLECT_AFTER_DISPATCHES && memory.size() == pagesAtCollection) return;
  uncollected = 0;
  pagesAtCollection = memory.size();
  __collect();
}
