// Composite: how the tests of composite operations tell their guest what to submit, and what the guest says of it.
// Numbers that both sides read.
//
// A script is a list of words: [gates, (limit, room)…, channels, capacity…, block]. A block is [words, statement…].

/** Followed by what the statement needs. */
export enum Statement {
  /** Its number, a block for its handler to do, and the operation. */
  Submit,
  /** The operation, for which there is no handler. */
  Detach,
  /** The number of a submission. */
  Cancel,
  /** The number of a scope. */
  CancelScope,
  /** The number of a channel. */
  CloseChannel,
  /** Traps by `abort`. */
  Trap,
  /** Says how many operations the guest counts in flight. */
  Count,
  /** Like Submit, but the operation is one inside another, so many times: number, block, kind, depth, and the innermost. */
  Deep,
  /** Submits the operation again and again: rounds, operation. Says how much was allocated in the second half of them. */
  Rounds,
  /** Like Submit, but the operation is one of those that nobody should write: number, block, which. */
  Odd,
}

/** What nobody should write, or say of a result. */
export enum Odd {
  FactorNan,
  FactorNegative,
  /** No base, and a factor that is infinite: their product is no number. */
  FactorInfinite,
  SpreadNan,
  SpreadTwo,
  CapEndless,
  BaseEndless,
  AttemptEndless,
  /** Random waits, within bounds. */
  Jitter,
  DeadlineEndless,
  /** A task that is submitted twice at once. */
  TaskTwice,
  /** Steps of a task. */
  EndsWithNothing,
  EndsWithNothingLater,
  EndsTwice,
  GoesOnAfterItsEnd,
  FailsWithSuccess,
  FailsAsSuccess,
  /** What its handler asks a result. */
  ValueOfFailure,
  ResultOutOfRange,
  ResultBelowZero,
  ResultOfFailure,
  /** A task that ends with the failure of one of a gather's members: its handler asks for the message. */
  FailsAsMember,
}

/** Each is followed by its deadline (0 for none), and by what the operation needs. */
export enum Kind {
  Noop,
  /** Milliseconds. */
  Timer,
  /** A key. */
  Get,
  /** A page: a fetch that brings its body along. */
  Page,
  /** A fetch whose body stays on the host. */
  Fetch,
  /** Channel, value. */
  Send,
  /** Channel. */
  Receive,
  /** Scope. */
  Join,
  // Number of operations, operations.
  Gather,
  Settled,
  Race,
  Any,
  Sequence,
  /** The same, one after the other by a Task that ends with how many there were. */
  Steps,
  // Operation.
  /** Attempts, base, factor, cap, milliseconds of an attempt, whether a bad status is retried. */
  Retry,
  /** First, second. */
  Fallback,
  /** Milliseconds, whether there is a second, the first, the second. */
  Hedge,
  /** Milliseconds. */
  Delay,
  /** Counts up what it gets. */
  Map,
  /** Traps in the mapped function. */
  MapTrap,
  /** Is good below 500. */
  Ensure,
  /** Gate. */
  Limit,
  /** Key. */
  Share,
  /** Scope. */
  Within,
}

export const SAID_BYTES: u32 = 32;

/** The first word of what the guest says. */
export enum Said {
  /** A handler was called: the number of its submission. */
  Entered,
  /** What it got, lists from the outside to the inside: status, auxiliary, value, whether a body came along, count. */
  Result,
  /** How many operations are in flight. */
  Counted,
  /** A word for a test of its own. */
  Word,
}
