// Cached page: cache-aside, the oldest reason to do several things for one request.

import { Exchange, Response } from "../../assembly/index";
import { refuseFailed } from "./answer";
import { cache, upstream } from "./grants";

const TTL_SECONDS = 60;

// Marks what this route has stored. Without it, anybody could plant a page here through PUT /kv.
const ORIGIN = '{"from":"upstream"}';

/** GET /page/<name>: from KV, else from upstream and then into KV. */
export function cachedPage(exchange: Exchange): void {
  cache
    .get(exchange.path)
    .withMetadata()
    .then(exchange, (exchange, value) => {
      if (value.metadata() == ORIGIN) answer(exchange, 200, "hit", value.bytes());
      else upstream.fetch(exchange.path).withBody().then(exchange, store);
    });
}

function store(exchange: Exchange, response: Response): void {
  if (response.failed) return refuseFailed(exchange, response);
  const page = response.bytes();
  answer(exchange, response.statusCode, "miss", page);
  // The answer is on its way; the request lives on until this is done.
  if (response.statusCode == 200) cache.put(exchange.path, page).expirationTtl(TTL_SECONDS).metadata(ORIGIN).submit();
}

function answer(exchange: Exchange, status: u32, found: string, page: ArrayBuffer): void {
  exchange.headers.append("content-type", "text/html; charset=utf-8").append("x-cache", found);
  exchange.respond(status, page);
}
