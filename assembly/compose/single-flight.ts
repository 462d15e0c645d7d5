// Single flight: many that want the same at the same time share one operation.

import { Status } from "../abi";
import { Completion } from "../completion-queue";
import { CompletionHandler } from "../completion-handler";
import { Token } from "../handler-table";
import { AnyOperation, Operation } from "../operation";
import { holdsResources, newComposite } from "./composite";
import { Waiters, Waiting } from "./waiters";

const WAIT: u32 = 0;
const OPERATION: u32 = 1;

/**
 * Operations that are in flight under a key. Whoever comes first runs its own; whoever wants the same meanwhile waits for that
 * one's result, also in another request. Results of resources are not shared: fetch with the body.
 */
export class SingleFlight<R> {
  private leaders: Map<string, SharedFlight> = new Map();

  /** Completes as `operation` does, or as the one that is in flight under `key` already. */
  share(key: string, operation: Operation<R>): Operation<R> {
    return new Shared<R>(this.leaders, key, operation);
  }
}

class SharedFlight extends Waiting {
  leaders!: Map<string, SharedFlight>;
  key!: string;
  operation!: AnyOperation;
  /** Whom this one waits for; null for a leader. */
  private leader: SharedFlight | null;
  /** Who waits for this one. */
  private followers!: Waiters;
  private hasResult: bool;

  protected get name(): string {
    return "share";
  }

  protected start(): void {
    if (!this.leaders.has(this.key)) return this.lead();
    const leader = this.leaders.get(this.key);
    this.leader = leader;
    leader.followers.add(this);
    this.wait(WAIT);
  }

  private lead(): void {
    this.followers = new Waiters();
    this.leaders.set(this.key, this);
    this.startMember(OPERATION, this.operation);
  }

  protected onMember(index: u32, completion: Completion): void {
    if (index == OPERATION) return this.announce(completion);
    const leader = this.leader;
    if (!this.isWoken) this.pass(completion);
    else if (leader && leader.hasResult) this.follow(leader);
    else this.startMember(OPERATION, this.operation);
  }

  private announce(completion: Completion): void {
    this.leaders.delete(this.key);
    if (this.followers.count) {
      this.keep(OPERATION, completion);
      this.hasResult = true;
      while (this.followers.wakeFirst());
    }
    this.pass(completion);
  }

  private follow(leader: SharedFlight): void {
    if (holdsResources(leader.member(OPERATION)))
      this.fail(Status.NotSupported, "a body on the host belongs to one request: share fetches with the body");
    else this.passKept(leader, OPERATION);
  }

  protected onEnd(): void {
    const leader = this.leader;
    if (leader) leader.followers.remove(this);
    else if (!this.hasResult) this.handOn();
  }

  /** The leader has ended without a result: another takes its place, and its followers. */
  private handOn(): void {
    if (!this.leaders.has(this.key) || this.leaders.get(this.key) != this) return;
    this.leaders.delete(this.key);
    const heir = changetype<SharedFlight | null>(this.followers.take());
    if (!heir) return;
    heir.leader = null;
    heir.followers = this.followers;
    heir.adopt();
    this.leaders.set(this.key, heir);
    heir.wake();
  }

  private adopt(): void {
    for (let follower = this.followers.peek(); follower; follower = follower!.following)
      changetype<SharedFlight>(follower).leader = this;
  }
}

class Shared<R> extends Operation<R> {
  constructor(
    private leaders: Map<string, SharedFlight>,
    private key: string,
    private operation: Operation<R>,
  ) {
    super(0);
  }

  begin(handler: CompletionHandler | null): Token {
    const flight = newComposite<SharedFlight>(2);
    flight.leaders = this.leaders;
    flight.key = this.key;
    flight.operation = this.operation;
    return flight.begin(handler, this.deadline_ms);
  }
}
