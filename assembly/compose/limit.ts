// Limit: operations that take turns at a gate, so many at once and no more.

import { Status } from "../abi";
import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { AnyOperation, Operation } from "../operation";
import { newComposite } from "./composite";
import { Waiters, Waiting } from "./waiters";

const WAIT: u32 = 0;
const OPERATION: u32 = 1;

/** Lets `limit` operations run at once; `room` more may wait, first come, first served. Also across requests. */
export class Gate {
  /** Operations that run now. */
  running: u32;
  private waiters: Waiters = new Waiters();

  /** Without a waiting room (0), what finds the gate closed completes with Again. */
  constructor(
    readonly limit: u32,
    readonly room: u32 = 1000,
  ) {}

  /** Operations that wait now. */
  get waiting(): u32 {
    return this.waiters.count;
  }

  /** Takes a place among those that run. */
  enter(): bool {
    if (this.running >= this.limit) return false;
    this.running++;
    return true;
  }

  /** Takes a place in the waiting room. */
  join(flight: Waiting): bool {
    if (this.waiters.count >= this.room) return false;
    this.waiters.add(flight);
    return true;
  }

  /** Gives back a place of either kind. */
  leave(flight: Waiting): void {
    if (this.waiters.remove(flight)) return;
    // Whoever waits takes the place over: it is never free for one that comes later.
    if (!this.waiters.wakeFirst()) this.running--;
  }
}

class LimitFlight extends Waiting {
  operation!: AnyOperation;
  gate!: Gate;
  private isInside: bool;

  protected get name(): string {
    return "limit";
  }

  protected start(): void {
    const gate = this.gate;
    if (gate.limit == 0) return this.fail(Status.Invalid, "limit: the gate lets nothing through");
    this.isInside = true;
    if (gate.enter()) this.startMember(OPERATION, this.operation);
    else if (gate.join(this)) this.wait(WAIT);
    else {
      this.isInside = false;
      this.fail(Status.Again, "limit: the waiting room is full");
    }
  }

  protected onMember(index: u32, completion: Completion): void {
    if (index == WAIT && this.isWoken) this.startMember(OPERATION, this.operation);
    else this.pass(completion);
  }

  protected onEnd(): void {
    if (this.isInside) this.gate.leave(this);
  }
}

export class Limit<R> extends Operation<R> {
  constructor(
    private gate: Gate,
    private operation: Operation<R>,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<LimitFlight>(handler, 2);
    flight.operation = this.operation;
    flight.gate = this.gate;
    return flight.begin(this.deadline_ms);
  }
}
