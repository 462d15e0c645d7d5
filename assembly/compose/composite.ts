// Composite: the flight of an operation that is made of others.
//
// Once its outcome is decided it cancels the members that are left, and it completes when the last of them has: nothing
// that it started outlives it. It completes in a place of its own in the order of the turn, so composites nest to any depth.

import { Status } from "../abi";
import { newObject } from "../address";
import { readBytes } from "../arena";
import { CompletionHandler } from "../completion-handler";
import { Completion, isOfQueue } from "../completion-queue";
import { Flight, setServing } from "../flight";
import { Token, disown, expectMember, isCancelled, isMember, memberOf, release } from "../handler-table";
import { AnyOperation, Anything, start } from "../operation";
import { cancel } from "../operation/cancel";
import { submitClose } from "../operation/close";
import { submitNoop } from "../operation/noop";
import { submitReport } from "../operation/report";
import { submitTimer } from "../operation/timer";

/** Flag of a composite's completion: its payload is a list of records, each with a payload of its own. */
const RECORDS: u32 = 0x1_0000;

/** So deep members start while their composite is submitted, as they are then. Deeper ones start when the handler ends. */
const DEPTH_MAX: u32 = 32;

// Members that every composite may have, beside its own.
const DEADLINE: u32 = 0xffff_ffff;
const TICK: u32 = 0xffff_fffe;

enum Phase {
  /** Submitted; nothing has been started. */
  Waiting,
  Running,
  /** The outcome is known; members may still be in flight. */
  Decided,
  /** Nothing is in flight; the handler is next. */
  Complete,
  /** The handler was called, or never will be. */
  Over,
}

/** Composites that are being started inside each other. */
let depth: u32 = 0;

// ╒═════════════════════════ Composite ═════════════════════════╕
// ├──────────────────────┬─────────────────┬────────────────────┤
// │ its completion, 32   │  other fields   │  members, 32 each  │
// └──────────────────────┴─────────────────┴────────────────────┘
// A member is a Completion. Its token is that of the operation in flight, or 0 when it has completed; the rest of the record
// is then the result, if it is to be kept, and `owners` has what the payload lies in.
export abstract class Composite extends Flight {
  /** What the payload lies in; null if that is the arena, where it is valid as long as this turn. */
  private owner: Anything | null;
  private owners: StaticArray<Anything | null> | null;
  private members: usize;
  protected memberCount: u32;
  /** Operations in flight for it, its deadline left aside. */
  protected pending: u32;
  private phase: Phase;
  private deadline_ms: u32;
  private deadline: Token;

  /** Whether `start` runs code of the guest's author, which must not run inside the call that submits. */
  protected get runsCode(): bool {
    return false;
  }

  /** What the operation is called in reports. */
  protected abstract get name(): string;

  /** Starts the first members, or decides at once. */
  protected abstract start(): void;

  /** One of the members has completed, and the outcome is open. `completion` is valid until this returns. */
  protected abstract onMember(index: u32, completion: Completion): void;

  /** Nothing is in flight any more, or the request has ended: gives back what others wait for. Called once. */
  protected onEnd(): void {}

  /** An outcome was decided of which the handler will not hear. */
  protected onOverrule(): void {}

  /** Whether the members' results are kept for the outcome alone, and to be given back if it is another. */
  protected get gathers(): bool {
    return false;
  }

  // From the submission to the outcome.

  /** What `Operation.begin` does for a composite. */
  begin(deadline_ms: u32): Token {
    this.register();
    this.deadline_ms = deadline_ms;
    if (depth == DEPTH_MAX || this.runsCode) {
      this.enqueue();
    } else {
      depth++;
      this.takeOff();
      depth--;
    }
    return this.token;
  }

  private takeOff(): void {
    this.phase = Phase.Running;
    if (this.deadline_ms) {
      expectMember(DEADLINE);
      this.deadline = submitTimer(this, this.deadline_ms);
    }
    this.start();
    if (!this.pending) this.tick();
  }

  /** What has nothing to wait for completes on the next turn, as everything does. */
  private tick(): void {
    this.pending++;
    expectMember(TICK);
    submitNoop(this);
  }

  /** Starts an operation as the flight's member; it may have been another before. */
  protected startMember(index: u32, operation: AnyOperation): void {
    this.pending++;
    expectMember(index);
    const token = start(changetype<usize>(operation), changetype<usize>(this));
    memberAt(changetype<usize>(this), index).token = token;
  }

  /** The same for an operation without an object: `expectMember(index)`, then this with what the submission returned. */
  protected addMember(index: u32, token: Token): void {
    this.pending++;
    memberAt(changetype<usize>(this), index).token = token;
  }

  /** Starts a timer as the flight's member. */
  protected startTimer(index: u32, ms: u32): void {
    expectMember(index);
    this.addMember(index, submitTimer(this, ms));
  }

  protected member(index: u32): Completion {
    return memberAt(changetype<usize>(this), index);
  }

  /** Whether the outcome is open. */
  protected get isUndecided(): bool {
    return this.phase == Phase.Running;
  }

  protected cancelMember(index: u32): void {
    const token = memberAt(changetype<usize>(this), index).token;
    if (token) cancel(token);
  }

  onComplete(completion: Completion): void {
    const index = memberOf(completion.token_slot);
    if (index == DEADLINE) return this.expire(completion);
    this.pending--;
    if (index != TICK) {
      memberAt(changetype<usize>(this), index).token = 0;
      if (this.phase == Phase.Running) this.onMember(index, completion);
    }
    assert(this.pending || this.phase == Phase.Decided, "nothing was started: every step ends with next, done or fail");
    if (!this.pending) this.land();
  }

  private expire(timer: Completion): void {
    this.deadline = 0;
    if (this.phase != Phase.Running) return;
    if (timer.failed) this.pass(timer);
    else this.fail(Status.TimedOut, "the deadline passed");
  }

  // The outcome. Each of these decides it.

  /** It is what this member came to. */
  protected pass(completion: Completion): void {
    copyResult(completion, this.completion);
    this.owner = ownerOf(completion);
    this.decide();
    // Others are waited for, and by then the arena holds something else.
    if (this.pending && !this.owner && this.payload_bytes) {
      const copy = readBytes(this.payload, this.payload_bytes);
      this.owner = changetype<Anything>(copy);
      this.payload = changetype<usize>(copy);
    }
  }

  /** It is what another composite of this kind has kept of a member. */
  protected passKept(other: Composite, index: u32): void {
    copyResult(other.member(index), this.completion);
    const owners = other.owners;
    if (owners) this.owner = owners[index];
    this.decide();
  }

  /** It is success, and there is nothing more to say. */
  protected succeed(): void {
    this.decide();
  }

  /** It is success, with this value for `Value`. */
  protected passValue(owner: Anything | null): void {
    this.owner = owner;
    this.payload = changetype<usize>(owner);
    this.decide();
  }

  /** It is the list of what was kept of the members. */
  protected passMembers(): void {
    this.flags = RECORDS;
    this.owner = changetype<Anything>(this);
    this.payload = this.members;
    this.payload_bytes = this.memberCount * <u32>offsetof<Completion>();
    this.decide();
  }

  protected fail(status: Status, message: string): void {
    const text = String.UTF8.encode(message);
    this.status = status;
    this.owner = changetype<Anything>(text);
    this.payload = changetype<usize>(text);
    this.payload_bytes = text.byteLength;
    this.decide();
  }

  private decide(): void {
    this.phase = Phase.Decided;
    for (let i: u32 = 0; i < this.memberCount; i++) {
      const token = memberAt(changetype<usize>(this), i).token;
      if (token) cancel(token);
    }
  }

  // Results of members.

  /** Keeps what a member came to. */
  protected keep(index: u32, completion: Completion): void {
    const record = memberAt(changetype<usize>(this), index);
    copyResult(completion, record);
    if (record.payload_bytes || !isOfQueue(completion)) this.keepPayload(index, record, ownerOf(completion));
  }

  private keepPayload(index: u32, record: Completion, owner: Anything | null): void {
    if (!owner && record.payload_bytes) {
      const copy = readBytes(record.payload, record.payload_bytes);
      record.payload = changetype<usize>(copy);
      owner = changetype<Anything>(copy);
    }
    if (!owner) return;
    let owners = this.owners;
    if (!owners) this.owners = owners = new StaticArray<Anything | null>(this.memberCount);
    owners[index] = owner;
  }

  /** What was kept of a member is not needed any more. */
  protected letGo(index: u32): void {
    const owners = this.owners;
    if (owners) owners[index] = null;
  }

  /** Something else is tried instead of this result: its failure is reported, or what it holds given back. */
  protected drop(completion: Completion): void {
    if (completion.failed) submitReport(completion, this.name, true);
    else dispose(completion);
  }

  // The end.

  protected land(): void {
    this.phase = Phase.Complete;
    if (this.deadline) {
      // Its completion would only be waited for.
      disown(this.deadline);
      cancel(this.deadline);
    }
    if (this.gathers && !(this.flags & RECORDS))
      for (let i: u32 = 0; i < this.memberCount; i++) dispose(this.member(i));
    this.onEnd();
    this.enqueue();
  }

  serve(): void {
    if (this.phase == Phase.Over) return;
    // What an abort has interrupted is over.
    depth = 0;
    if (this.phase == Phase.Complete) this.deliver();
    else if (isCancelled(<u32>this.token)) this.cancelled();
    else this.takeOff();
  }

  protected cancelled(): void {
    if (this.phase == Phase.Decided) return;
    this.decide();
    if (!this.pending) this.tick();
  }

  private deliver(): void {
    const slot = <u32>this.token;
    const cancelled = isCancelled(slot);
    const member = isMember(slot);
    release(slot);
    this.phase = Phase.Over;
    if (cancelled) this.overrule();
    const handler = this.handler;
    setServing(changetype<usize>(handler), member);
    if (handler) handler.onComplete(this.completion);
    else if (this.completion.failed && !cancelled) submitReport(this.completion, this.name, false);
  }

  /** A cancel has won: the handler hears so, and a result that nobody will see is given back. */
  private overrule(): void {
    this.onOverrule();
    dispose(this.completion);
    this.status = Status.Cancelled;
    this.flags = 0;
    this.resource = 0;
    this.payload_bytes = 0;
    this.auxiliary = 0;
  }

  forgo(): CompletionHandler | null {
    const phase = this.phase;
    this.phase = Phase.Over;
    if (phase < Phase.Complete) this.onEnd();
    if (phase == Phase.Decided || phase == Phase.Complete) this.onOverrule();
    return this.handler;
  }
}

/** A composite with room for so many members. */
export function newComposite<F>(handler: usize, memberCount: u32): F {
  // Records hold tokens, which lie at multiples of 8.
  const head = (offsetof<F>() + 7) & ~7;
  const bytes = head + <usize>memberCount * offsetof<Completion>();
  const flight = newObject(bytes, idof<F>(), handler);
  store<usize>(flight, handler, offsetof<Flight>("handler"));
  store<usize>(flight, flight + head, offsetof<Composite>("members"));
  store<u32>(flight, memberCount, offsetof<Composite>("memberCount"));
  return changetype<F>(flight);
}

/** A composite's member, by addresses: a reference would cost each function a frame on the shadow stack. */
function memberAt(composite: usize, index: u32): Completion {
  return changetype<Completion>(
    load<usize>(composite, offsetof<Composite>("members")) + <usize>index * offsetof<Completion>(),
  );
}

/** All of a result but its token. */
function copyResult(from: Completion, to: Completion): void {
  const flags = isOfQueue(from) ? 0 : from.flags;
  // Two words at a time: engines call a function for memory.copy.
  const source = changetype<usize>(from);
  const target = changetype<usize>(to);
  store<u64>(target, load<u64>(source, 8), 8);
  store<u64>(target, load<u64>(source, 16), 16);
  store<u64>(target, load<u64>(source, 24), 24);
  to.flags = flags;
}

/** What keeps a completion's payload; null for one that the host wrote into the arena. */
function ownerOf(completion: Completion): Anything | null {
  if (isOfQueue(completion)) return null;
  return changetype<Anything | null>(load<usize>(changetype<usize>(completion), offsetof<Composite>("owner")));
}

/** Gives back what a result holds and nobody will see. */
function dispose(result: Completion): void {
  if (!isOfQueue(result)) findResources(result, true);
  else if (result.resource) submitClose(result.resource);
}

/** Whether a result that is no record of the queue holds resources of the host. */
export function holdsResources(result: Completion): bool {
  return findResources(result, false);
}

/** Without recursion: results nest as deep as composites do. */
function findResources(result: Completion, closes: bool): bool {
  let found = false;
  const token = result.token;
  result.token = 0;
  // A list of results that are to be looked at, linked by the words in which a token was.
  for (let list = changetype<usize>(result); list;) {
    const next = changetype<Completion>(list);
    list = next.token_slot;
    if (next.resource) {
      found = true;
      if (closes) submitClose(next.resource);
    }
    if (next.flags & RECORDS) {
      for (let at = next.payload; at < next.payload + next.payload_bytes; at += offsetof<Completion>()) {
        changetype<Completion>(at).token_slot = <u32>list;
        list = at;
      }
    }
  }
  result.token = token;
  return found;
}
