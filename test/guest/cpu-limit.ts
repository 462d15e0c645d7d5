// A guest that wants the runtime's warning of the CPU limit, and tells whether a handler saw it.

import { Exchange, isNearCpuLimit, noop, serve } from "../../assembly/index";
export { run, __instance_signal, __instance_terminated } from "../../assembly/index";

serve((exchange: Exchange) => {
  if (exchange.path == "/now") exchange.respond(200, isNearCpuLimit() ? "near" : "far");
  else noop().then(exchange, (exchange, _done) => exchange.respond(200, "done"));
});
