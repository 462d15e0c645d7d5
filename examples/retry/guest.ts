// Retry: a request that is sent again when its failure may pass, and only then.

import { Exchange, Response, RetryPolicy, isTransient, origin, serve } from "wasm-proactor";
export { run } from "wasm-proactor";

const api = origin("API");

/** Three attempts, 100 ms and then 200 ms apart, each of at most 5 s. */
const policy = new RetryPolicy(3).backoff(100, 2).attemptTimeout(5000).when<Response>(isWorthAnother);

/** A server's error may pass; so may a broken connection or a deadline. What is wrong with the request stays wrong. */
function isWorthAnother(response: Response): bool {
  return response.failed ? isTransient(response) : response.statusCode >= 500;
}

/** Answers as the API did in the end: with its last response, or with 502 or 504 if it gave none. */
serve((exchange: Exchange) => {
  api
    .fetch(`${exchange.path}?${exchange.query}`)
    .retry(policy)
    .timeout(20_000)
    .then(exchange, (exchange, response) => exchange.forward(response));
});
