import { Exchange, RequestHeaders, serve } from "../../assembly/index";
export { run } from "../../assembly/index";

serve((exchange: Exchange) => {
  const path = exchange.path;
  if (path == "/header") exchange.respond(200, exchange.header("x-one") == null ? "none" : "one");
  else if (path == "/count") exchange.respond(200, `${exchange.headerCount}`);
  else exchange.respond(200, `${exchange.method} ${path} ${exchange.query}`);
}, RequestHeaders.Omitted);
