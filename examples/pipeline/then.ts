// The pipeline with `then`: one function for each step, and one object that they hand on.

import { Completion, Exchange, KvValue, Response } from "wasm-proactor";
import { Batch } from "./answer";
import { Outcome, User, fetchDetails, hasDetails, malformed, noDetails, noUser, notWritten } from "./steps";
import { readUser, writeProfile, written } from "./steps";

export function byThen(exchange: Exchange, ids: string[]): void {
  const batch = new Batch(exchange, ids);
  for (let i = 0; i < ids.length; i++) readUser(ids[i]).then(new Pipeline(batch, i, ids[i]), onUser);
}

/** What the steps of one user's pipeline know. */
class Pipeline {
  /** Known from the first step on. */
  user!: User;

  constructor(
    private batch: Batch,
    private index: i32,
    public id: string,
  ) {}

  end(outcome: Outcome): void {
    this.batch.end(this.index, outcome);
  }
}

function onUser(pipeline: Pipeline, value: KvValue): void {
  if (!value.found) return pipeline.end(noUser(value));
  const user = User.parse(value.text());
  if (!user) return pipeline.end(malformed());
  pipeline.user = user;
  fetchDetails(pipeline.id).then(pipeline, onDetails);
}

function onDetails(pipeline: Pipeline, response: Response): void {
  if (!hasDetails(response)) return pipeline.end(noDetails());
  const profile = pipeline.user.merge(response.text());
  writeProfile(pipeline.id, profile).then(pipeline, onWritten);
}

function onWritten(pipeline: Pipeline, completion: Completion): void {
  pipeline.end(completion.failed ? notWritten() : written());
}
