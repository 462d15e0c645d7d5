// Upstream: a fetch with a deadline, and a response that is handed on untouched.

import { Exchange, RedirectMode } from "../../assembly/index";
import { answerText, refuse, refuseFailed } from "./answer";
import { upstream } from "./grants";
import { numberParameter } from "./number";

const WAIT_MS_MAX = 30_000;

/** GET /deadline?timeout=50&delay=500: 504 if the timeout is the shorter one; upstream then sees the abort. */
export function deadline(exchange: Exchange): void {
  const timeout = numberParameter(exchange, "timeout", 50, 1, WAIT_MS_MAX);
  const delay = numberParameter(exchange, "delay", 500, 0, WAIT_MS_MAX);
  if (timeout < 0) return refuse(exchange, 400, `timeout is a whole number from 1 to ${WAIT_MS_MAX}, in milliseconds`);
  if (delay < 0) return refuse(exchange, 400, `delay is a whole number from 0 to ${WAIT_MS_MAX}, in milliseconds`);
  upstream
    .fetch(`/slow?delay=${delay}`)
    .timeout(timeout)
    .then(exchange, (exchange, response) => {
      if (response.failed) refuseFailed(exchange, response);
      else answerText(exchange, "in time");
    });
}

/** GET /proxy/<path>: upstream's status, headers and body, which stays with the host. */
export function proxy(exchange: Exchange): void {
  const path = exchange.path.substring("/proxy".length);
  const query = exchange.query;
  upstream
    .fetch(query.length ? `${path}?${query}` : path)
    .redirect(RedirectMode.Manual)
    .then(exchange, (exchange, response) => {
      if (response.failed) refuseFailed(exchange, response);
      else exchange.forward(response);
    });
}
