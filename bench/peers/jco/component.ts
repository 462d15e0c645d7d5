// An instance of the component. It may wait for one call of its straight-line exports at a time.

import { instantiate } from "../../../build/bench/peers/jco/guest.js";
import type { Component } from "../../../build/bench/peers/jco/guest.js";
import module from "../../../build/bench/peers/jco/guest.core.wasm";
import { nothing, sleep } from "../operations.ts";

export const component = (): Component => instantiate(() => module, { "bench:peer/host": { nothing, sleep } });
