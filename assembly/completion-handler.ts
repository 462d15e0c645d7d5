// Completion handler: the guest object that is told how an operation ended.

import { Completion } from "./completion-queue";

/** Its fields are the state of whatever it takes part in; a handler may serve many operations, one after another. */
export abstract class CompletionHandler {
  /** Runs once for each completion. `completion` and its payload are valid until this method returns. */
  abstract onComplete(completion: Completion): void;
}
