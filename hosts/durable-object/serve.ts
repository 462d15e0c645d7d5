// Durable Object: the Worker beside this file on local workerd, with the flags of every other host.

import { serveWorker } from "../workerd/local.ts";

await serveWorker({
  entry: "hosts/durable-object/worker.ts",
  durableObjects: { HOST: "Host" },
  // Lets it see that a client went away.
  compatibilityFlags: ["enable_request_signal"],
});
