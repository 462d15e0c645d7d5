// Handler table: slot → completion handler, with a generation that tells a slot's users apart.
//
// Slots are reused in last-in-first-out order, so the table stays as small as the most that was ever in flight, and
// a busy module touches the same few cache lines. The handlers have an array of their own, which the collector visits;
// what else a slot has, it need not look at.
//
// Flights (flight.ts) have slots too, of which the host never hears. A guest without them pays nothing for them: asc sees
// that `hasFlights` is never set, and leaves out what depends on it.

import { CancelResult, SLOT_COUNT_MAX } from "./abi";
import { abort } from "./abort";
import { newObject } from "./address";
import { CompletionHandler } from "./completion-handler";

/** Names one submission for ever: the slot in the low half, its generation, never 0, in the high half. */
export type Token = u64;

const SLOTS_AT_START: u32 = 64;

// What a slot's state is made of; a free slot has none of it.
const IN_FLIGHT: u32 = 1;
const CANCELLED: u32 = 2;
/** Its handler is a flight. */
const MEMBER: u32 = 4;
// With one of these a slot is not the host's to complete.
const REFUSED: u32 = 8;
const FLIGHT: u32 = 16;

// ╒═════════════ Slot, 8 bytes ═════════════╕
// ├──────────────────────┬────────────┬───────┤
// │      generation      │    next    │ state │
// └──────────────────────┴────────────┴───────┘
// next, 24 bits: the following slot in the free list, or in the list of refused submissions. Slot 0 is nobody's, so 0
// ends both.
@unmanaged
class Slot {
  generation: u32;
  next_state: u32;
}

const NEXT_SHIFT: u32 = 8;
const STATE: u32 = 0xff;
if (SLOT_COUNT_MAX > 1 << 24) ERROR("a slot's number does not fit into `next`");

type Handlers = StaticArray<CompletionHandler | null>;

let slots = changetype<ArrayBuffer>(0);
let handlers = changetype<Handlers>(0);
let slotCapacity: u32 = 0;
let lastSlot: u32 = 0;
let firstFree: u32 = 0;

// The slots whose submission was refused, and whose handlers have not heard of it.
let firstRefused: u32 = 0;
let lastOfRefused: u32 = 0;

let stale: u32 = 0;

/** Whether there ever was a cancel. */
let hasCancels = false;
/** Whether there ever was a flight. */
export let hasFlights = false;
// Whether the next slot is for a member of a flight, and which.
let memberState: u32 = 0;
let member: u32 = 0;
/** For each slot, which of its flight's members has it. Beside the slots: few guests have as many members as operations. */
let membersCapacity: u32 = 0;
let members = changetype<ArrayBuffer>(0);

/** Operations whose completion has not been dispatched yet. Counts them: whoever does not ask pays nothing. */
export function inFlightCount(): u32 {
  let count: u32 = 0;
  for (let slot: u32 = 1; slot <= lastSlot; slot++) if (slotAt(slot).next_state & STATE) count++;
  return count;
}

/** Completions that were dropped because their generation was over. */
export function staleCount(): u32 {
  return stale;
}

function slotAt(slot: u32): Slot {
  return changetype<Slot>(changetype<usize>(slots) + <usize>slot * offsetof<Slot>());
}

function handlerAt(slot: u32): usize {
  return changetype<usize>(handlers) + <usize>slot * sizeof<usize>();
}

/** The token that a slot's present user has. */
export function tokenOf(slot: u32): Token {
  return ((<u64>slotAt(slot).generation) << 32) | slot;
}

/** Takes a slot for a handler, or for none when nobody waits for the result. From here on the table holds the handler. */
export function claim(handler: usize): u32 {
  const slot = firstFree || addSlot(handler);
  const entry = slotAt(slot);
  firstFree = entry.next_state >>> NEXT_SHIFT;
  entry.next_state = IN_FLIGHT | memberState;
  store<usize>(handlerAt(slot), handler);
  // Tells the collector, as an assignment would.
  __link(changetype<usize>(handlers), handler, true);
  if (memberState) noteMember(slot);
  return slot;
}

function addSlot(handler: usize): u32 {
  const slot = lastSlot + 1;
  if (slot + 1 == slotCapacity) {
    // Room for the next one takes memory, for which the collector may run: it shall find the handler.
    store<usize>(handlerAt(slot), handler);
    grow();
  }
  lastSlot = slot;
  const entry = slotAt(slot);
  entry.generation = 1;
  entry.next_state = 0;
  return slot;
}

function grow(): void {
  const before = slotCapacity;
  // Out of reach with a host that keeps the contract: it refuses submissions long before.
  if (before == SLOT_COUNT_MAX) abort();
  const capacity = max(SLOTS_AT_START, before << 1);
  handlers = changetype<Handlers>(
    enlarged(changetype<usize>(handlers), before, capacity, sizeof<usize>(), idof<Handlers>()),
  );
  slots = changetype<ArrayBuffer>(
    enlarged(changetype<usize>(slots), before, capacity, offsetof<Slot>(), idof<ArrayBuffer>()),
  );
  slotCapacity = capacity;
}

/** A copy of `count` items with room for `capacity`, and zeros in it. */
function enlarged(items: usize, count: u32, capacity: u32, itemBytes: u32, id: u32): usize {
  const copy = newObject(capacity * itemBytes, id, 0);
  memory.copy(copy, items, count * itemBytes);
  return copy;
}

grow();

/**
 * Whether the token's operation is still in flight. A completion for any other token is dropped, and counted: for one
 * that the host has refused too, because its slot waits in the list of these.
 */
export function isLive(token: Token): bool {
  const slot = <u32>token;
  // A free slot's state is 0, which this makes the largest number.
  if (slot - 1 < lastSlot && tokenOf(slot) == token && (slotAt(slot).next_state & STATE) - 1 < REFUSED - 1) return true;
  stale++;
  return false;
}

export function isCancelled(slot: u32): bool {
  return hasCancels && (slotAt(slot).next_state & CANCELLED) != 0;
}

/** The handler of a live slot, which stays in place: for a completion that others will follow. */
export function peek(slot: u32): usize {
  return load<usize>(handlerAt(slot));
}

/**
 * Frees a live slot and returns its handler, which nothing may hold any more. Before the handler runs, so that a chain
 * needs one slot only.
 */
export function release(slot: u32): usize {
  const handler = peek(slot);
  const entry = slotAt(slot);
  store<usize>(handlerAt(slot), 0);
  entry.generation = max(entry.generation + 1, 1);
  entry.next_state = firstFree << NEXT_SHIFT;
  firstFree = slot;
  return handler;
}

/** What a cancel of this token would come to now. */
export function cancelResult(token: Token): CancelResult {
  const slot = <u32>token;
  const generation = <u32>(token >>> 32);
  if (slot - 1 >= lastSlot || generation == 0) return CancelResult.Unknown;
  const entry = slotAt(slot);
  if (generation < entry.generation) return CancelResult.TooLate;
  return generation == entry.generation && entry.next_state & STATE ? CancelResult.Won : CancelResult.Unknown;
}

/** Marks a live slot: its handler will see Cancelled, whatever the work comes to. False if it was marked before. */
export function markCancelled(slot: u32): bool {
  const entry = slotAt(slot);
  if (entry.next_state & CANCELLED) return false;
  entry.next_state |= CANCELLED;
  hasCancels = true;
  return true;
}

/** Takes the handler away from an operation that is of no interest any more. */
export function disown(token: Token): void {
  store<usize>(handlerAt(<u32>token), 0);
  slotAt(<u32>token).next_state &= ~MEMBER;
}

/** Remembers that the host refused the submission, unless it has completed it all the same. */
export function refuse(token: Token): void {
  if (!isLive(token)) return;
  const slot = <u32>token;
  const entry = slotAt(slot);
  entry.next_state = (entry.next_state & STATE) | REFUSED;
  if (firstRefused) slotAt(lastOfRefused).next_state |= slot << NEXT_SHIFT;
  else firstRefused = slot;
  lastOfRefused = slot;
}

/** The last of the refused slots, or 0 if there are none. */
export function lastRefused(): u32 {
  return firstRefused ? lastOfRefused : 0;
}

/** Takes the first slot out of the list of refused ones. It is in flight again, until it hears of it. */
export function takeRefused(): u32 {
  const slot = firstRefused;
  const entry = slotAt(slot);
  firstRefused = entry.next_state >>> NEXT_SHIFT;
  entry.next_state &= STATE & ~REFUSED;
  return slot;
}

// Flights and their members.

/** Makes a slot that of a flight. */
export function markFlight(slot: u32): void {
  hasFlights = true;
  slotAt(slot).next_state |= FLIGHT;
}

export function isFlight(slot: u32): bool {
  return hasFlights && (slotAt(slot).next_state & FLIGHT) != 0;
}

export function isMember(slot: u32): bool {
  return hasFlights && (slotAt(slot).next_state & MEMBER) != 0;
}

/** The next slot that is claimed is for this member of the flight that is its handler. */
export function expectMember(index: u32): void {
  member = index;
  memberState = MEMBER;
}

function noteMember(slot: u32): void {
  if (membersCapacity < slotCapacity) {
    members = changetype<ArrayBuffer>(
      enlarged(changetype<usize>(members), membersCapacity, slotCapacity, sizeof<u32>(), idof<ArrayBuffer>()),
    );
    membersCapacity = slotCapacity;
  }
  store<u32>(changetype<usize>(members) + ((<usize>slot) << 2), member);
  memberState = 0;
}

/** Which member had the slot, until it is claimed again. */
export function memberOf(slot: u32): u32 {
  return load<u32>(changetype<usize>(members) + ((<usize>slot) << 2));
}
