// Awaits noops on a fiber until `count` have completed, then answers `count`.
// fibers

import { Exchange, fiber, noop, serve } from "../../assembly/index";
export { run, run_fiber } from "../../assembly/index";

const operation = noop();

serve((exchange: Exchange) => {
  fiber(exchange, (exchange) => {
    const text = exchange.parameter("count");
    const count: u32 = text ? U32.parseInt(text) : 0;
    for (let i: u32 = 0; i < count; i++) operation.await();
    exchange.respond(200, `${count}`);
  }).submit();
});
