// The guest that the explorer drives: its handlers decide nothing, they ask what to do.
//
// So the module has no state but the library's, and whatever a guest could do in a handler is tried from each state.

import {
  CancelResult,
  Completion,
  CompletionHandler,
  EventKind,
  Operation,
  Token,
  accept,
  cancel,
  inFlightCount,
  timer,
} from "../../../assembly/index";
import { MORE, Opcode } from "../../../assembly/abi";
import { Submission } from "../../../assembly/submission-queue";
import { cancelled, entered, left, next, subject, submitted } from "./explorer";
export { __instance_signal, inFlightCount, run, staleCount } from "../../../assembly/index";

/** The same numbers are in test/explorer/host.ts. */
enum Action {
  Return,
  Submit,
  SubmitAtOnce,
  Cancel,
  Throw,
  ThrowWhileEncoding,
}

/** Handlers that are made when the module starts; the explorer gives them to at most as many operations at once. */
const HANDLERS: i32 = 16;

class Driven extends CompletionHandler {
  constructor(public identity: u32) {
    super();
  }

  onComplete(completion: Completion): void {
    if (isFresh) __collect();
    // To cancel an accept that goes on would succeed.
    const own = completion.flags & MORE ? CancelResult.TooLate : cancel(completion.token);
    entered(this.identity, changetype<usize>(completion), inFlightCount(), own);
    for (let action = next(); action & 0xff; action = next()) {
      obey(action & 0xff, action >>> 8);
      if (isFresh) __collect();
    }
    left();
  }
}

/** Content over the size that the library copies, so that it crosses the border inside the handler. */
class AtOnce extends Operation<Completion> {
  constructor() {
    super(Opcode.Noop);
  }

  encode(submission: Submission): void {
    submission.putDataBytes(memory.data(2048, 8), 2048);
  }
}

class Throwing extends Operation<Completion> {
  constructor() {
    super(Opcode.Noop);
  }

  encode(_submission: Submission): void {
    throw new Error("while encoding");
  }
}

const parked = timer(7).timeout(9);
const atOnce = new AtOnce();
const throwing = new Throwing();
const handlers = new StaticArray<Driven>(HANDLERS);
let isFresh = false;

for (let identity = 0; identity < HANDLERS; identity++) handlers[identity] = new Driven(identity);

function obey(action: Action, identity: u32): void {
  if (action == Action.Throw) throw new Error("as told");
  if (action == Action.Cancel) {
    const token = ((<Token>subject(1)) << 32) | subject(0);
    cancelled(cancel(token), cancel(token));
    return;
  }
  const handler = isFresh ? new Driven(identity) : handlers[identity];
  if (action == Action.Submit) tell(parked.submit(handler));
  else if (action == Action.SubmitAtOnce) tell(atOnce.submit(handler));
  else tell(throwing.submit(handler));
}

function tell(token: Token): void {
  submitted(<u32>token, <u32>(token >>> 32));
}

/** From now on each operation has a handler of its own, which nothing but the library holds, and garbage is collected. */
export function useFreshHandlers(): void {
  isFresh = true;
}

/** What a cancel of this token comes to. Outside of a turn, so only for tokens that are not live. */
export function probe(slot: u32, generation: u32): i32 {
  return cancel(((<Token>generation) << 32) | slot);
}

export function collect(): void {
  __collect();
}

tell(accept(EventKind.Fetch).submit(handlers[0]));
