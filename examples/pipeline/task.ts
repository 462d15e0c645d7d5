// The pipeline as a task: one class, whose steps stand in the order in which they happen. A task is an operation itself,
// so that `gather` runs many, and `timeout`, `retry` and `limit` work on it as on a single read.

import { Completion, Exchange, KvValue, Operation, Response, Task, Value, gather } from "wasm-proactor";
import { answer } from "./answer";
import { Outcome, User, fetchDetails, hasDetails, malformed, noDetails, noUser, notWritten } from "./steps";
import { readUser, writeProfile, written } from "./steps";

export function byTask(exchange: Exchange, ids: string[]): void {
  const tasks = ids.map<Operation<Value<Outcome>>>((id) => new Pipeline(id));
  gather<Value<Outcome>>(tasks).then(exchange, (exchange, results) => {
    if (results.failed) {
      exchange.respond(502, results.message());
      return;
    }
    const outcomes: Outcome[] = [];
    for (let i = 0; i < results.count; i++) outcomes.push(results.at(i).value);
    answer(exchange, outcomes);
  });
}

enum Step {
  Start,
  UserRead,
  DetailsFetched,
  ProfileWritten,
}

class Pipeline extends Task<Outcome> {
  /** Known from the first step on. */
  private user!: User;

  constructor(private id: string) {
    super();
  }

  resume(completion: Completion): void {
    switch (this.step) {
      case Step.Start:
        return this.next(readUser(this.id), Step.UserRead);

      case Step.UserRead: {
        const value = changetype<KvValue>(completion);
        if (!value.found) return this.done(noUser(value));
        const user = User.parse(value.text());
        if (!user) return this.done(malformed());
        this.user = user;
        return this.next(fetchDetails(this.id), Step.DetailsFetched);
      }

      case Step.DetailsFetched: {
        const response = changetype<Response>(completion);
        if (!hasDetails(response)) return this.done(noDetails());
        const profile = this.user.merge(response.text());
        return this.next(writeProfile(this.id, profile), Step.ProfileWritten);
      }

      default:
        return this.done(completion.failed ? notWritten() : written());
    }
  }
}
