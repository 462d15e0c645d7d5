// Aggregate: several fetches under way at once, one answer when the last of them has ended.

import { Exchange, Response } from "../../assembly/index";
import { answerJson, refuse } from "./answer";
import { upstream } from "./grants";
import { quote } from "./json";
import { numberParameter } from "./number";

/** A request may call 32 Workers through service bindings, itself included. */
const FETCHES_MAX = 30;
const DELAY_MS_MAX = 30_000;

/** GET /aggregate?n=5&delay=100 */
export function aggregate(exchange: Exchange): void {
  const n = numberParameter(exchange, "n", 5, 1, FETCHES_MAX);
  const delay = numberParameter(exchange, "delay", 100, 0, DELAY_MS_MAX);
  if (n < 0) return refuse(exchange, 400, `n is a whole number from 1 to ${FETCHES_MAX}`);
  if (delay < 0) return refuse(exchange, 400, `delay is a whole number from 0 to ${DELAY_MS_MAX}, in milliseconds`);
  const whole = new Aggregate(exchange, n);
  for (let i = 0; i < n; i++) {
    const part = new Part(whole);
    whole.parts[i] = part;
    upstream
      .fetch(`/part/${i}?delay=${delay}`)
      .withBody()
      .then(part, (part, response) => part.end(response));
  }
}

class Aggregate {
  readonly started: i64 = Date.now();
  readonly parts: Part[];
  private left: i32;

  constructor(
    private exchange: Exchange,
    n: i32,
  ) {
    this.parts = new Array<Part>(n);
    this.left = n;
  }

  /** Milliseconds since the request came. */
  now(): i64 {
    return Date.now() - this.started;
  }

  partEnded(): void {
    if (--this.left == 0) answerJson(this.exchange, 200, `{"took":${this.now()},"fetches":[${this.parts.join(",")}]}`);
  }
}

class Part {
  private started: i64;
  private ended: i64 = 0;
  private outcome: string = "";

  constructor(private whole: Aggregate) {
    this.started = whole.now();
  }

  end(response: Response): void {
    this.ended = this.whole.now();
    this.outcome = response.failed ? `"error":${quote(response.message())}` : `"status":${response.statusCode}`;
    this.whole.partEnded();
  }

  toString(): string {
    return `{"start":${this.started},"end":${this.ended},${this.outcome}}`;
  }
}
