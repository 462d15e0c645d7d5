// Answer: the outcomes of all users, in the order in which they were asked for.

import { Exchange } from "wasm-proactor";
import { Outcome } from "./steps";

/** Collects outcomes as they come, and answers with the last. */
export class Batch {
  private outcomes: Outcome[];
  private left: i32;

  constructor(
    private exchange: Exchange,
    ids: string[],
  ) {
    this.left = ids.length;
    this.outcomes = new Array<Outcome>(ids.length);
  }

  end(index: i32, outcome: Outcome): void {
    this.outcomes[index] = outcome;
    if (--this.left == 0) answer(this.exchange, this.outcomes);
  }
}

export function answer(exchange: Exchange, outcomes: Outcome[]): void {
  exchange.headers.append("content-type", "application/json");
  exchange.respond(200, `[${outcomes.map<string>((outcome) => jsonOf(outcome)).join(",\n ")}]`);
}

/** The reasons are the guest's own, so that there is nothing to escape. */
function jsonOf(outcome: Outcome): string {
  return `{"status":${outcome.status},"reason":"${outcome.reason}"}`;
}
