// Suite: all checks that need no socket, in the order in which a new host would pass them. A page runs them too.

import type { Check } from "./check.ts";
import { clients } from "./checks/clients.ts";
import { firstSteps } from "./checks/first-steps.ts";
import { kv } from "./checks/kv.ts";
import { overlap } from "./checks/overlap.ts";
import { refusals } from "./checks/refusals.ts";
import { upstream } from "./checks/upstream.ts";

export const CHECKS: readonly Check[] = [firstSteps, refusals, kv, upstream, clients, overlap].flat();
