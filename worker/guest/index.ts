// The deployed Worker's guest: which handler answers which request. All of the Worker's logic is in this folder.

import { Exchange, serve } from "../../assembly/index";
import { aggregate } from "./aggregate";
import { cachedPage } from "./cached-page";
import { hello, sleep, upper } from "./first-steps";
import { listKeys, readKey, removeKey, writeKey } from "./kv";
import { startPage } from "./start-page";
import { Router } from "./router";
import { deadline, proxy } from "./upstream";

export { run } from "../../assembly/index";

const router: Router = new Router()
  .get("/", startPage)
  .get("/hello", hello)
  .get("/kv", listKeys)
  .get("/kv/*", readKey)
  .put("/kv/*", writeKey)
  .delete("/kv/*", removeKey)
  .get("/aggregate", aggregate)
  .get("/page/*", cachedPage)
  .get("/sleep/*", sleep)
  .get("/deadline", deadline)
  .post("/upper", upper)
  .get("/proxy/*", proxy);

serve((exchange: Exchange) => router.handle(exchange));
