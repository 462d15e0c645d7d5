// The guest whose groups the explorer drives: requests start them and cancel them, and their handlers only tell.
//
// What a group is made of is a tree that the explorer has; see test/explorer/groups/tree.ts.

import {
  Channel,
  Completion,
  CompletionHandler,
  EventKind,
  Gate,
  Operation,
  RetryPolicy,
  Scope,
  SingleFlight,
  Token,
  accept,
  any,
  cancel,
  gather,
  gatherSettled,
  race,
  sequence,
} from "../../../assembly/index";
import { Opcode } from "../../../assembly/abi";
import { cancelled, entered, word } from "./group-host";
import { Command, Kind } from "./groups-numbers";
export { inFlightCount, run } from "../../../assembly/index";

const GROUPS: i32 = 4;
/** Who tells that it is a mapped function; below are handlers, by their groups. */
const MAPPED: u32 = 100;

class Item {
  constructor(public number: i32) {}
}

/** What the host completes as it likes. */
class Member extends Operation<Completion> {
  constructor(identity: u32) {
    super(Opcode.KvGet);
    this.argument_0 = identity;
  }
}

let gate = new Gate(1, 1);
let channel = new Channel<Item>(0);
const scope = new Scope();
const shared = new SingleFlight<Completion>();
const policy = new RetryPolicy(2).backoff(1);
const tokens = new StaticArray<Token>(GROUPS);

/** Where the tree is read, and of which group. */
let at: u32 = 0;
let reading: u32 = 0;

export function configure(limit: u32, room: u32, capacity: u32): void {
  gate = new Gate(limit, room);
  channel = new Channel<Item>(capacity);
}

export function collect(): void {
  __collect();
}

export function runningInGate(): u32 {
  return gate.running;
}

export function waitingAtGate(): u32 {
  return gate.waiting;
}

export function valuesInChannel(): u32 {
  return channel.count;
}

function take(): i32 {
  return word(reading, at++);
}

function build(): Operation<Completion> {
  const kind: Kind = take();
  const deadline = take();
  const operation = make(kind);
  return deadline ? operation.timeout(deadline) : operation;
}

function list(): Operation<Completion>[] {
  const operations: Operation<Completion>[] = [];
  for (let left = take(); left > 0; left--) operations.push(build());
  return operations;
}

function make(kind: Kind): Operation<Completion> {
  switch (kind) {
    case Kind.Member:
      return new Member(take());
    case Kind.Gather:
      return changetype<Operation<Completion>>(gather<Completion>(list()));
    case Kind.Settled:
      return changetype<Operation<Completion>>(gatherSettled<Completion>(list()));
    case Kind.Race:
      return race<Completion>(list());
    case Kind.Any:
      return any<Completion>(list());
    case Kind.Sequence:
      return changetype<Operation<Completion>>(sequence<Completion>(list()));
    case Kind.Retry:
      return build().retry(policy);
    case Kind.Hedge: {
      const first = build();
      return first.hedge(1, build());
    }
    case Kind.Fallback: {
      const first = build();
      return first.fallback(build());
    }
    case Kind.Limit:
      return build().limit(gate);
    case Kind.Share:
      return shared.share("key", build());
    case Kind.Within:
      return build().within(scope);
    case Kind.Map:
      return changetype<Operation<Completion>>(build().map<Item>(mapped));
    case Kind.Send:
      return channel.send(new Item(take()));
    case Kind.Receive:
      return changetype<Operation<Completion>>(channel.receive());
    default:
      return scope.join();
  }
}

function mapped(result: Completion): Item {
  if (entered(MAPPED, changetype<usize>(result))) throw new Error("as told");
  return new Item(result.auxiliary);
}

class Observer extends CompletionHandler {
  constructor(private group: u32) {
    super();
  }

  onComplete(completion: Completion): void {
    if (entered(this.group, changetype<usize>(completion))) throw new Error("as told");
  }
}

class Driver extends CompletionHandler {
  onComplete(completion: Completion): void {
    const command: Command = completion.auxiliary & 0xff;
    const group = completion.auxiliary >>> 8;
    if (command == Command.Start) {
      reading = group;
      at = 0;
      tokens[group] = build().submit(new Observer(group));
    } else if (command == Command.Cancel) {
      const first = cancel(tokens[group]);
      cancelled(group, first, cancel(tokens[group]));
    } else if (command == Command.CancelScope) {
      scope.cancel();
    } else {
      channel.close();
    }
  }
}

accept(EventKind.Fetch).submit(new Driver());
