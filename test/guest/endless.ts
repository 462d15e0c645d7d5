// A handler that never returns. Only an engine that can stop a module ends it, so no host in JavaScript runs this.

import { Exchange, serve, timer } from "../../assembly/index";
export { run } from "../../assembly/index";

serve((exchange: Exchange) => {
  if (exchange.path == "/endless") for (;;);
  timer(5).then(exchange, (exchange, _done) => exchange.respond(200, "done"));
});
