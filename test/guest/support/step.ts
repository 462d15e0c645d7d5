// Step: what the test of the model tells its guest to do next, and what the guest says; numbers that both sides read.
// In both directions a message is an array of words, whose first is one of these.

export const STEP_WORDS: u32 = 8;

/** Followed by what the step needs. Those that submit: the operation's number, its deadline, whether it is detached. */
export enum Step {
  /** Nothing more: the handler returns. */
  Return,
  Noop,
  Timer,
  Get,
  Put,
  Delete,
  List,
  /** A fetch whose body stays on the host. */
  Fetch,
  /** A fetch that brings its body along. */
  Page,
  Read,
  Close,
  /** Answers with a text of the guest's. */
  Respond,
  /** Answers with a body that the host holds. */
  Stream,
  /** The operation Cancel; whoever submits it hears the host's answer. */
  End,
  /** The function `cancel`. */
  Cancel,
  Abort,
  Trap,
  Grow,
  Collect,
  /** Makes garbage. */
  Litter,
  /** Calls `run` inside a handler. */
  Run,
}

export enum Said {
  /** A handler was called: its number, where its completion lies, and how many the guest counts in flight and stale. */
  Entered,
  /** A step is done: its result, 64 bits. */
  Did,
}
