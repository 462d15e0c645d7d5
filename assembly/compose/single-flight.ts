// Single flight: many that want the same at the same time share one operation.

import { Status } from "../abi";
import { Completion } from "../completion-queue";
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
  /** Who waits for this one, if anybody does. */
  private followers: Waiters | null;
  private hasResult: bool;

  protected get name(): string {
    return "share";
  }

  protected start(): void {
    if (!this.leaders.has(this.key)) return this.lead();
    const leader = this.leaders.get(this.key);
    this.leader = leader;
    leader.adopt(this);
    this.wait(WAIT);
  }

  private lead(): void {
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
    const followers = this.followers;
    if (followers && followers.count) {
      this.keep(OPERATION, completion);
      this.hasResult = true;
      while (followers.wakeFirst());
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
    if (leader) leader.forget(this);
    else if (!this.hasResult) this.handOn();
  }

  /** The leader has ended without a result: another takes its place, and its followers. */
  private handOn(): void {
    if (!this.leaders.has(this.key) || this.leaders.get(this.key) != this) return;
    this.leaders.delete(this.key);
    const followers = this.followers;
    const heir = followers ? changetype<SharedFlight | null>(followers.take()) : null;
    if (!heir || !followers) return;
    heir.leader = null;
    heir.followers = followers;
    for (let follower = followers.peek(); follower; follower = follower!.following)
      changetype<SharedFlight>(follower).leader = heir;
    this.leaders.set(this.key, heir);
    heir.wake();
  }

  private adopt(follower: SharedFlight): void {
    let followers = this.followers;
    if (!followers) this.followers = followers = new Waiters();
    followers.add(follower);
  }

  private forget(follower: SharedFlight): void {
    const followers = this.followers;
    if (followers) followers.remove(follower);
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

  begin(handler: usize): Token {
    const flight = newComposite<SharedFlight>(handler, 2);
    flight.leaders = this.leaders;
    flight.key = this.key;
    flight.operation = this.operation;
    return flight.begin(this.deadline_ms);
  }
}
