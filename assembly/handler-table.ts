// Handler table: slot → completion handler, with a generation that tells a slot's users apart.
//
// Slots are reused in last-in-first-out order, so the table stays as small as the most that was ever in flight, and
// a busy module touches the same few cache lines. The handlers live in a managed array, where the collector sees
// them; everything else is a raw block, which costs the collector nothing.

import { CancelResult, SLOT_COUNT_MAX } from "./abi";
import { CompletionHandler } from "./completion-handler";

/** Names one submission for ever: the slot in the low half, its generation in the high half. */
export type Token = u64;

const NONE: u32 = 0xffff_ffff;
const SLOTS_AT_START: u32 = 64;

enum SlotState {
  Free,
  InFlight,
  Cancelled,
}

// ╒══════════════ Slot, 12 bytes ═══════════════╕
// ├──────────────┬──────────────┬───────────────┤
// │  generation  │    state     │     next      │
// └──────────────┴──────────────┴───────────────┘
// next: the following slot in the free list, or in the list of refused submissions.
@unmanaged
class Slot {
  generation: u32;
  state: SlotState;
  next: u32;
}

let slots: usize = heap.alloc(SLOTS_AT_START * offsetof<Slot>());
let slotCount: u32 = 0;
let slotCapacity: u32 = SLOTS_AT_START;
let firstFree: u32 = NONE;
let firstRefused: u32 = NONE;
let lastRefused: u32 = NONE;
let handlers: StaticArray<CompletionHandler | null> = new StaticArray<CompletionHandler | null>(SLOTS_AT_START);

let inFlight: u32 = 0;
let stale: u32 = 0;

/** Operations whose completion has not been dispatched yet. */
export function inFlightCount(): u32 {
  return inFlight;
}

/** Completions that were dropped because their generation was over. */
export function staleCount(): u32 {
  return stale;
}

function slotAt(slot: u32): Slot {
  return changetype<Slot>(slots + <usize>slot * offsetof<Slot>());
}

/** The token that a slot's present user has. */
export function tokenOf(slot: u32): Token {
  return (<u64>slotAt(slot).generation << 32) | slot;
}

/** Takes a slot for a handler, or for none when nobody waits for the result. */
export function claim(handler: CompletionHandler | null): u32 {
  const slot = firstFree != NONE ? firstFree : addSlot();
  const entry = slotAt(slot);
  firstFree = entry.next;
  entry.state = SlotState.InFlight;
  unchecked((handlers[slot] = handler));
  inFlight++;
  return slot;
}

function addSlot(): u32 {
  // Unreachable with a host that keeps the contract: it refuses submissions long before.
  assert(slotCount < SLOT_COUNT_MAX, "handler table: 1,048,576 operations are in flight");
  if (slotCount == slotCapacity) grow();
  const slot = slotCount++;
  const entry = slotAt(slot);
  entry.generation = 1;
  entry.next = NONE;
  return slot;
}

function grow(): void {
  const before = handlers;
  slotCapacity <<= 1;
  slots = heap.realloc(slots, <usize>slotCapacity * offsetof<Slot>());
  handlers = new StaticArray<CompletionHandler | null>(slotCapacity);
  for (let slot: u32 = 0; slot < slotCount; slot++) unchecked((handlers[slot] = before[slot]));
}

/** Whether the token's operation is still in flight. A completion for any other token is dropped, and counted. */
export function isLive(slot: u32, generation: u32): bool {
  if (slot < slotCount) {
    const entry = slotAt(slot);
    if (entry.generation == generation && entry.state != SlotState.Free) return true;
  }
  stale++;
  return false;
}

export function isCancelled(slot: u32): bool {
  return slotAt(slot).state == SlotState.Cancelled;
}

/** The handler of a live slot, which stays in place: for a completion that others will follow. */
export function peek(slot: u32): CompletionHandler | null {
  return unchecked(handlers[slot]);
}

/** Frees a live slot and returns its handler. Before the handler runs, so that a chain needs one slot only. */
export function release(slot: u32): CompletionHandler | null {
  const handler = unchecked(handlers[slot]);
  const entry = slotAt(slot);
  unchecked((handlers[slot] = null));
  entry.generation++;
  entry.state = SlotState.Free;
  entry.next = firstFree;
  firstFree = slot;
  inFlight--;
  return handler;
}

/** What a cancel of this token would come to now. */
export function cancelResult(token: Token): CancelResult {
  const slot = <u32>token;
  const generation = <u32>(token >>> 32);
  if (slot >= slotCount || generation == 0) return CancelResult.Unknown;
  const entry = slotAt(slot);
  if (generation < entry.generation) return CancelResult.TooLate;
  return generation == entry.generation && entry.state != SlotState.Free ? CancelResult.Won : CancelResult.Unknown;
}

/** Marks a live slot: its handler will see Cancelled, whatever the work comes to. False if it was marked before. */
export function markCancelled(slot: u32): bool {
  const entry = slotAt(slot);
  if (entry.state == SlotState.Cancelled) return false;
  entry.state = SlotState.Cancelled;
  return true;
}

/** Remembers that the host refused the slot's submission. */
export function refuse(slot: u32): void {
  slotAt(slot).next = NONE;
  if (firstRefused == NONE) firstRefused = slot;
  else slotAt(lastRefused).next = slot;
  lastRefused = slot;
}

/** Whether submissions were refused whose handlers have not heard of it. */
export function hasRefused(): bool {
  return firstRefused != NONE;
}

/** Takes the list of refused slots; follow it with `nextRefused`. */
export function takeRefused(): u32 {
  const slot = firstRefused;
  firstRefused = NONE;
  return slot;
}

/** The refused slot after this one, to be read before this one is released. */
export function nextRefused(slot: u32): u32 {
  return slotAt(slot).next;
}

/** Ends a list of refused slots. */
export function isSlot(slot: u32): bool {
  return slot != NONE;
}
