// Simulator: the guest in a world where each read takes 0.1 to 9 s, of a time that is not waited for. The seed decides
// how many, so every run is the same.

import { Proactor } from "wasm-proactor";
import { Simulation } from "wasm-proactor/testing";
import { filledStore, guest } from "./files.ts";

const world = new Simulation({ seed: 4, delay: [100, 9000] });
const resources = { STORE: world.kv({ store: await filledStore() }) };
const app = await Proactor.instantiate(guest, { resources, clock: world.clock });

for (const path of ["/ada", "/grace", "/nobody"]) {
  const response = await world.run(app.fetch(new Request(`http://localhost${path}`)));
  console.log(`${path} ${response.status} ${await response.text()}, at ${world.clock.now()} ms`);
}
