// The pipeline as handler objects: one class for each step, whose object is made when the step before has succeeded.

import { Completion, CompletionHandler, Exchange, KvValue, Response } from "wasm-proactor";
import { Batch } from "./answer";
import { Outcome, User, fetchDetails, hasDetails, malformed, noDetails, noUser, notWritten } from "./steps";
import { readUser, writeProfile, written } from "./steps";

export function byHandlers(exchange: Exchange, ids: string[]): void {
  const batch = new Batch(exchange, ids);
  for (let i = 0; i < ids.length; i++) readUser(ids[i]).submit(new UserRead(new Pipeline(batch, i, ids[i])));
}

/** What all steps of one user's pipeline know. */
class Pipeline {
  constructor(
    private batch: Batch,
    private index: i32,
    public id: string,
  ) {}

  end(outcome: Outcome): void {
    this.batch.end(this.index, outcome);
  }
}

class UserRead extends CompletionHandler {
  constructor(private pipeline: Pipeline) {
    super();
  }

  onComplete(completion: Completion): void {
    const value = changetype<KvValue>(completion);
    if (!value.found) return this.pipeline.end(noUser(value));
    const user = User.parse(value.text());
    if (!user) return this.pipeline.end(malformed());
    fetchDetails(this.pipeline.id).submit(new DetailsFetched(this.pipeline, user));
  }
}

class DetailsFetched extends CompletionHandler {
  constructor(
    private pipeline: Pipeline,
    private user: User,
  ) {
    super();
  }

  onComplete(completion: Completion): void {
    const response = changetype<Response>(completion);
    if (!hasDetails(response)) return this.pipeline.end(noDetails());
    const profile = this.user.merge(response.text());
    writeProfile(this.pipeline.id, profile).submit(new ProfileWritten(this.pipeline));
  }
}

class ProfileWritten extends CompletionHandler {
  constructor(private pipeline: Pipeline) {
    super();
  }

  onComplete(completion: Completion): void {
    this.pipeline.end(completion.failed ? notWritten() : written());
  }
}
