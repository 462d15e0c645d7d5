// The numbers that the explorer and its guest of groups tell each other. Read by asc and by TypeScript, so only enums.

export enum Kind {
  Member,
  Gather,
  Settled,
  Race,
  Any,
  Sequence,
  Retry,
  Hedge,
  Fallback,
  Limit,
  Share,
  Within,
  Map,
  Send,
  Receive,
  Join,
}

export enum Command {
  Start,
  Cancel,
  CancelScope,
  CloseChannel,
}
