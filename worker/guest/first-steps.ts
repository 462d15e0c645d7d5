// First steps: an answer at once, a timer, a request's body.

import { Exchange, timer } from "../../assembly/index";
import { answerText, refuse, refuseFailed } from "./answer";
import { wholeNumber } from "./number";

const SLEEP_MS_MAX = 30_000;
const UPPER_BYTES_MAX = 1_048_576;

/** GET /hello */
export function hello(exchange: Exchange): void {
  answerText(exchange, "hello");
}

/** GET /sleep/<ms> */
export function sleep(exchange: Exchange): void {
  const ms = wholeNumber(exchange.path.substring("/sleep/".length), 0, SLEEP_MS_MAX);
  if (ms < 0) return refuse(exchange, 400, `sleep 0 to ${SLEEP_MS_MAX} ms: /sleep/100`);
  timer(ms).then(exchange, (exchange, _done) => answerText(exchange, "awake"));
}

/** POST /upper: the body in upper case. */
export function upper(exchange: Exchange): void {
  exchange.read(UPPER_BYTES_MAX).then(exchange, (exchange, content) => {
    if (content.failed) refuseFailed(exchange, content);
    else if (!content.isText) refuse(exchange, 400, "the body is not UTF-8");
    else answerText(exchange, content.text().toUpperCase());
  });
}
