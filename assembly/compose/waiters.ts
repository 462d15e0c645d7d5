// Waiters: flights that wait for each other, first come, first served, in whichever requests they are.
//
// A handler never runs on another request's stack. So each waits by an operation of its own request, and whoever lets it
// go on has the host complete that one.

import { Token, expectMember, isCancelled } from "../handler-table";
import { submitWait } from "../operation/wait";
import { wake } from "../operation/wake";
import { Composite } from "./composite";

export abstract class Waiting extends Composite {
  previous: Waiting | null;
  following: Waiting | null;
  /** Whether it is among the waiters. */
  isListed: bool;
  /** Whether it was let go on, which its request may not have heard yet. */
  isWoken: bool;
  private waitToken: Token;

  /** Waits, as the member `index`. */
  protected wait(index: u32): void {
    expectMember(index);
    this.waitToken = submitWait(this);
    this.addMember(index, this.waitToken);
  }

  /** Whether nobody has cancelled it. */
  get mayGoOn(): bool {
    return this.isUndecided && !isCancelled(<u32>this.token);
  }

  /** Lets it go on. */
  wake(): void {
    this.isWoken = true;
    wake(this.waitToken);
  }
}

export class Waiters {
  count: u32;
  private first: Waiting | null;
  private last: Waiting | null;

  add(flight: Waiting): void {
    const last = this.last;
    flight.previous = last;
    flight.following = null;
    flight.isListed = true;
    if (last) last.following = flight;
    else this.first = flight;
    this.last = flight;
    this.count++;
  }

  /** Takes a flight out. False if it is not among them. */
  remove(flight: Waiting): bool {
    if (!flight.isListed) return false;
    flight.isListed = false;
    const previous = flight.previous;
    const following = flight.following;
    if (previous) previous.following = following;
    else this.first = following;
    if (following) following.previous = previous;
    else this.last = previous;
    flight.previous = flight.following = null;
    this.count--;
    return true;
  }

  /** The one that waits longest. */
  peek(): Waiting | null {
    return this.first;
  }

  /** Takes out the one that waits longest. */
  take(): Waiting | null {
    const first = this.first;
    if (first) this.remove(first);
    return first;
  }

  /** Lets the one that waits longest go on. False if nobody waits. */
  wakeFirst(): bool {
    const first = this.take();
    if (first) first.wake();
    return first != null;
  }
}
