// Proactor: takes completions from the queue and calls their handlers, one after the other, never inside another.

import { Runtime } from "shared/runtime";
import { DISPATCHED, MORE, Opcode, RECLAIM, Status } from "./abi";
import { takeAborted } from "./abort";
import { Completion, completionAt, fill } from "./completion-queue";
import { hasRefused, isCancelled, isLive, isSlot, nextRefused, peek, release, takeRefused, tokenOf } from "./handler-table";
import { commit, discard, flush, prepare, setBatching } from "./submission-queue";

/** Rounds in which refused handlers may try again on the same turn, when nothing can have become free. */
const REFUSED_ROUNDS_MAX = 16;
/** With the minimal runtime nobody else collects; this often it is worth the walk over the heap. */
const COLLECT_AFTER_DISPATCHES: i32 = 256;

let running = false;
let stackAtEntry: usize = 0;
let uncollected: i32 = 0;

/**
 * One turn: dispatches at most `budget` completions of the current context and submits what their handlers started.
 * Returns how many were dispatched. A nested call is refused with Again and changes nothing.
 */
export function run(budget: i32): i32 {
  if (takeAborted()) recover();
  if (running) return Status.Again;
  if (budget <= 0) return Status.Invalid;
  enter();
  stackAtEntry = __stack_pointer;
  const count = fill(budget);
  for (let i = 0; i < count; i++) dispatch(completionAt(i));
  flush();
  if (hasRefused()) deliverRefusals();
  leave();
  if (ASC_RUNTIME == Runtime.Minimal) collectBetweenTurns(count);
  return count;
}

function enter(): void {
  running = true;
  setBatching(true);
}

function leave(): void {
  running = false;
  setBatching(false);
}

function dispatch(completion: Completion): void {
  const slot = completion.token_slot;
  if (!isLive(slot, completion.token_generation)) return dispose(completion);
  if (completion.flags & RECLAIM) {
    release(slot);
    return;
  }
  const cancelled = isCancelled(slot);
  const handler = completion.flags & MORE ? peek(slot) : release(slot);
  if (cancelled) overrule(completion);
  completion.flags |= DISPATCHED;
  if (handler) handler.onComplete(completion);
}

/** The cancel won: the handler hears so, and a result that nobody will see is given back. */
function overrule(completion: Completion): void {
  dispose(completion);
  completion.status = Status.Cancelled;
  completion.resource = 0;
  completion.payload_bytes = 0;
  completion.auxiliary = 0;
}

function dispose(completion: Completion): void {
  if (completion.resource) closeResource(completion.resource);
}

/** Gives a resource back to the host without waiting for the answer. */
export function closeResource(resource: u32): void {
  const submission = prepare(null);
  submission.opcode = <u16>Opcode.Close;
  submission.resource = resource;
  commit(submission);
}

/**
 * Calls the handlers of refused submissions with Again: on this turn, because the next may be another context's, and
 * after all others, so never inside the call that submitted. They may answer their exchange or give up; what they
 * submit anew is refused again until a completion makes room, hence the bound.
 */
function deliverRefusals(): void {
  for (let round = 0; hasRefused(); round++) {
    assert(round < REFUSED_ROUNDS_MAX, "resubmitted while the host refuses: wait for a completion before trying again");
    let slot = takeRefused();
    while (isSlot(slot)) {
      const next = nextRefused(slot);
      deliverRefusal(slot);
      slot = next;
    }
    flush();
  }
}

function deliverRefusal(slot: u32): void {
  const token = tokenOf(slot);
  // The first record of the queue is free again: everything in it was dispatched.
  const completion = completionAt(0);
  memory.fill(changetype<usize>(completion), 0, offsetof<Completion>());
  completion.token_slot = <u32>token;
  completion.token_generation = <u32>(token >>> 32);
  completion.status = isCancelled(slot) ? Status.Cancelled : Status.Again;
  completion.flags = DISPATCHED;
  const handler = release(slot);
  if (handler) handler.onComplete(completion);
}

/** Takes back what an aborted turn left behind: its unsent submissions, its shadow stack and the turn itself. */
function recover(): void {
  if (!running) return;
  __stack_pointer = stackAtEntry;
  discard();
  for (let slot = takeRefused(); isSlot(slot); ) {
    const next = nextRefused(slot);
    release(slot);
    slot = next;
  }
  leave();
}

/** The minimal runtime sees no stack, so it may collect only here, where none of ours is left. */
function collectBetweenTurns(dispatched: i32): void {
  uncollected += dispatched;
  if (uncollected < COLLECT_AFTER_DISPATCHES) return;
  uncollected = 0;
  __collect();
}
