// The pipeline as straight-line code. It runs on a fiber: each `await` puts the fiber's stack aside until the result is
// there, and other fibers and handlers run meanwhile.

import { Exchange, fiber } from "wasm-proactor";
import { Batch } from "./answer";
import { Outcome, User, fetchDetails, hasDetails, malformed, noDetails, noUser, notWritten } from "./steps";
import { readUser, writeProfile, written } from "./steps";

export function byAwait(exchange: Exchange, ids: string[]): void {
  const batch = new Batch(exchange, ids);
  for (let i = 0; i < ids.length; i++) {
    fiber(new Pipeline(batch, i, ids[i]), (pipeline) => pipeline.run()).submit();
  }
}

/** What one fiber is given. */
class Pipeline {
  constructor(
    private batch: Batch,
    private index: i32,
    private id: string,
  ) {}

  run(): void {
    this.batch.end(this.index, profile(this.id));
  }
}

/** The flow. A result is valid until the fiber waits again. */
function profile(id: string): Outcome {
  const value = readUser(id).await();
  if (!value.found) return noUser(value);
  const user = User.parse(value.text());
  if (!user) return malformed();

  const response = fetchDetails(id).await();
  if (!hasDetails(response)) return noDetails();

  const done = writeProfile(id, user.merge(response.text())).await();
  return done.failed ? notWritten() : written();
}
