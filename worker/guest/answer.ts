// Answer: the shapes in which this Worker answers, and how an operation's failure becomes one of them.

import { Completion, Exchange, Status } from "../../assembly/index";
import { quote } from "./json";

export function answerText(exchange: Exchange, body: string): void {
  exchange.headers.append("content-type", "text/plain; charset=utf-8");
  exchange.respond(200, body);
}

export function answerJson(exchange: Exchange, status: u32, body: string): void {
  exchange.headers.append("content-type", "application/json; charset=utf-8");
  exchange.respond(status, body);
}

/** Answers with what is wrong: a word for programs, a sentence for people. */
export function refuse(exchange: Exchange, status: u32, detail: string): void {
  answerJson(exchange, status, `{"error":${quote(wordFor(status))},"detail":${quote(detail)}}`);
}

/** Answers with why an operation failed, in the host's words. */
export function refuseFailed(exchange: Exchange, failed: Completion): void {
  refuse(exchange, statusCodeFor(failed.status), failed.message());
}

function statusCodeFor(status: Status): u32 {
  switch (status) {
    case Status.Invalid:
      return 400;
    case Status.NotPermitted:
      return 403;
    case Status.NotFound:
      return 404;
    case Status.TooBig:
      return 413;
    case Status.RateLimited:
      return 429;
    case Status.Network:
    case Status.Aborted:
    case Status.Redirect:
      return 502;
    case Status.Again:
      return 503;
    case Status.TimedOut:
      return 504;
    default:
      return 500;
  }
}

function wordFor(status: u32): string {
  switch (status) {
    case 400:
      return "bad-request";
    case 403:
      return "forbidden";
    case 404:
      return "not-found";
    case 405:
      return "method-not-allowed";
    case 413:
      return "too-large";
    case 429:
      return "too-many-requests";
    case 502:
      return "bad-gateway";
    case 503:
      return "unavailable";
    case 504:
      return "timed-out";
    default:
      return "failed";
  }
}
