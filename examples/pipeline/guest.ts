// Pipeline: one flow of five steps, for several users at once, written in each style: compare the files.

import { Exchange, serve } from "wasm-proactor";
import { byAwait } from "./await";
import { byHandlers } from "./handlers";
import { byTask } from "./task";
import { byThen } from "./then";
export { run, run_fiber } from "wasm-proactor";

const USERS_MAX = 100;

/** GET /handlers?users=1,2,3, and the same with /then, /task and /await. */
serve((exchange: Exchange) => {
  const users = exchange.parameter("users");
  const ids: string[] = users === null ? [] : users.split(",");
  if (ids.length == 0 || ids.length > USERS_MAX) exchange.respond(400, `which users? 1 to ${USERS_MAX} of them`);
  else if (exchange.path == "/handlers") byHandlers(exchange, ids);
  else if (exchange.path == "/then") byThen(exchange, ids);
  else if (exchange.path == "/task") byTask(exchange, ids);
  else if (exchange.path == "/await") byAwait(exchange, ids);
  else exchange.respond(404, "only /handlers, /then, /task and /await");
});
