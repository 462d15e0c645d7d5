// Channel: values from one flow to another, and no more of them on the way than it has room for.

import { Status } from "../abi";
import { Completion } from "../completion-queue";
import { Token } from "../handler-table";
import { Operation } from "../operation";
import { newComposite } from "./composite";
import { Value, boxed } from "./value";
import { Waiters, Waiting } from "./waiters";

/**
 * A queue of at most `capacity` values, in the order in which they were sent; 0 hands each value over to whoever receives it. Also
 * across requests: a value is an object of the guest, so it must not be something that belongs to one of them.
 */
export class Channel<T> {
  private values: T[] = [];
  /** Of each value the how manieth it was, so that one that comes back finds its place. */
  private orders: u32[] = [];
  private sent: u32 = 0;
  private senders: Waiters = new Waiters();
  private receivers: Waiters = new Waiters();
  private closed: bool;

  constructor(readonly capacity: u32) {}

  /** Values on the way. */
  get count(): u32 {
    return this.values.length;
  }

  get isClosed(): bool {
    return this.closed;
  }

  /** Completes with Ok when the channel has taken the value; waits while it is full. With Closed if it is closed before. */
  send(value: T): Operation<Completion> {
    return new Send<T>(this, value);
  }

  /** Completes with the next value; waits while there is none. With Closed when the channel is closed and empty. */
  receive(): Operation<Value<T>> {
    return new Receive<T>(this);
  }

  /** Takes no more values. What is in the channel can still be received. */
  close(): void {
    this.closed = true;
    while (this.senders.wakeFirst());
    while (this.receivers.wakeFirst());
  }

  /** Takes the value if there is room, or somebody waits for it. */
  offer(value: T): bool {
    if (this.closed) return false;
    const receiver = this.takeReceiver();
    if (receiver) receiver.give(value, this.sent++);
    else if (this.count >= this.capacity) return false;
    else this.append(value);
    return true;
  }

  private append(value: T): void {
    this.values.push(value);
    this.orders.push(this.sent++);
  }

  /** Puts back a value that was given to one that has ended, before all that were sent later. */
  returnValue(value: T, order: u32): void {
    const receiver = this.takeReceiver();
    if (receiver) return receiver.give(value, order);
    const values = this.values;
    const orders = this.orders;
    values.push(value);
    orders.push(order);
    // The difference and not the numbers: they may wrap.
    let at = values.length - 1;
    for (; at > 0 && <i32>(orders[at - 1] - order) > 0; at--) {
      values[at] = values[at - 1];
      orders[at] = orders[at - 1];
    }
    values[at] = value;
    orders[at] = order;
  }

  /** Not one that was cancelled: it would give the value back, and others would have overtaken it. */
  private takeReceiver(): ReceiveFlight<T> | null {
    let flight = this.receivers.take();
    while (flight && !flight.mayGoOn) flight = this.receivers.take();
    return changetype<ReceiveFlight<T> | null>(flight);
  }

  get hasValue(): bool {
    return this.values.length > 0 || this.firstSender() != null;
  }

  /** Who has waited longest to send. Not one that was cancelled or came too late: it will say that it has sent nothing. */
  private firstSender(): SendFlight<T> | null {
    let flight = this.senders.peek();
    while (flight && !flight.mayGoOn) {
      this.senders.remove(flight);
      flight = this.senders.peek();
    }
    return changetype<SendFlight<T> | null>(flight);
  }

  /** The next value, and room for that of whoever has waited longest to send one. */
  takeValue(): T {
    const sender = this.firstSender();
    if (sender) {
      this.senders.remove(sender);
      sender.isTaken = true;
      sender.wake();
      this.append(sender.value);
    }
    return this.values.shift();
  }

  /** The how manieth the value was that `takeValue` has returned. */
  takeOrder(): u32 {
    return this.orders.shift();
  }

  joinSenders(flight: Waiting): void {
    this.senders.add(flight);
  }

  joinReceivers(flight: Waiting): void {
    this.receivers.add(flight);
  }

  leave(flight: Waiting, sends: bool): void {
    if (sends) this.senders.remove(flight);
    else this.receivers.remove(flight);
  }
}

class SendFlight<T> extends Waiting {
  channel!: Channel<T>;
  value!: T;
  /** Whether the channel has the value. */
  isTaken: bool;

  protected get name(): string {
    return "send";
  }

  protected start(): void {
    if (this.channel.isClosed) return this.fail(Status.Closed, "the channel is closed");
    if (this.channel.offer(this.value)) return this.succeed();
    this.channel.joinSenders(this);
    this.wait(0);
  }

  protected onMember(_index: u32, completion: Completion): void {
    if (this.isTaken) this.succeed();
    else if (this.isWoken) this.fail(Status.Closed, "the channel was closed");
    else this.pass(completion);
  }

  protected onEnd(): void {
    this.channel.leave(this, true);
  }
}

class ReceiveFlight<T> extends Waiting {
  channel!: Channel<T>;
  private value!: T;
  private order: u32;
  private hasValue: bool;
  /** Whether the outcome is the value, and no cancel. */
  private isDecided: bool;

  protected get name(): string {
    return "receive";
  }

  /** Lets it go on with a value. */
  give(value: T, order: u32): void {
    this.value = value;
    this.order = order;
    this.hasValue = true;
    this.wake();
  }

  protected start(): void {
    if (this.channel.hasValue) {
      this.value = this.channel.takeValue();
      this.order = this.channel.takeOrder();
      this.hasValue = true;
      return this.finish();
    }
    if (this.channel.isClosed) return this.fail(Status.Closed, "the channel is closed and empty");
    this.channel.joinReceivers(this);
    this.wait(0);
  }

  protected onMember(_index: u32, completion: Completion): void {
    if (this.hasValue) this.finish();
    else if (this.isWoken) this.fail(Status.Closed, "the channel is closed and empty");
    else this.pass(completion);
  }

  private finish(): void {
    this.isDecided = true;
    this.passValue(boxed<T>(this.value));
  }

  protected onEnd(): void {
    this.channel.leave(this, false);
    // It was cancelled, or its request has ended, before it heard of the value.
    if (this.hasValue && !this.isDecided) this.giveBack();
  }

  protected onOverrule(): void {
    if (this.hasValue) this.giveBack();
  }

  private giveBack(): void {
    this.hasValue = false;
    this.channel.returnValue(this.value, this.order);
  }
}

class Send<T> extends Operation<Completion> {
  constructor(
    private channel: Channel<T>,
    private value: T,
  ) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<SendFlight<T>>(handler, 1);
    flight.channel = this.channel;
    flight.value = this.value;
    return flight.begin(this.deadline_ms);
  }
}

class Receive<T> extends Operation<Value<T>> {
  constructor(private channel: Channel<T>) {
    super(0);
  }

  begin(handler: usize): Token {
    const flight = newComposite<ReceiveFlight<T>>(handler, 1);
    flight.channel = this.channel;
    return flight.begin(this.deadline_ms);
  }
}
