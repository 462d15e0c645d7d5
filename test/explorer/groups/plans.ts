// Plans: the groups that are explored, each to its end.

import type { Outcome, Plan } from "./state.ts";
import {
  any,
  fallback,
  gather,
  hedge,
  join,
  limit,
  map,
  member,
  race,
  receive,
  retry,
  send,
  sequence,
  settled,
  share,
  timeout,
  within,
} from "./tree.ts";
import type { Tree } from "./tree.ts";

export const GROUPS_GUEST = "test/guest/explorer/groups.ts";

/** Where more would only take longer. */
const TWO: readonly Outcome[] = ["resource", "failure"];

const members = (count: number): Tree[] => Array.from({ length: count }, (_, identity) => member(identity));
const alone = (name: string, tree: Tree, rest: Partial<Plan> = {}): Plan => ({
  name,
  groups: [{ tree, context: 0 }],
  ...rest,
});
/** Each in context A or B. */
const together = (name: string, contexts: string, tree: (number: number) => Tree, rest: Partial<Plan> = {}): Plan => ({
  name,
  groups: [...contexts].map((context, number) => ({ tree: tree(number), context: "AB".indexOf(context) })),
  ...rest,
});

const [m0, m1, m2] = [member(0), member(1), member(2)];
const LISTS = { gather, settled, race, any, sequence };
const limited = (number: number): Tree => limit(member(number));
const shared = (number: number): Tree => share(member(number));

function listPlans(): Plan[] {
  return Object.entries(LISTS).flatMap(([name, list]) => [
    alone(`${name} of none`, list()),
    alone(`${name} of 1`, list(m0)),
    alone(`${name} of 2`, list(m0, m1)),
    alone(`${name} of 3`, list(...members(3)), { outcomes: TWO }),
    alone(`${name} of 2, deadline`, timeout(list(m0, m1), 50), { outcomes: TWO }),
    alone(`${name} of 2, host has 1 place`, list(m0, m1), { capacity: 1 }),
    alone(`${name} of 3, host has 2 places`, list(...members(3)), { capacity: 2, outcomes: TWO }),
  ]);
}

const NESTED: Plan[] = [
  alone("gather of race and one", gather(race(m0, m1), m2), { outcomes: TWO }),
  alone("gather of gather and one", gather(gather(m0, m1), m2), { outcomes: TWO }),
  alone("gather of gather and one, deadline inside", gather(timeout(gather(m0, m1), 50), m2), {
    outcomes: ["resource"],
  }),
  alone("settled of any and sequence", settled(any(m0, m1), sequence(m2)), { outcomes: TWO }),
  alone("race of gather and one", race(gather(m0, m1), m2), { outcomes: TWO }),
  alone("race of retry and one", race(retry(m0), m1), { outcomes: TWO }),
  alone("any of fallback and one", any(fallback(m0, m1), m2), { outcomes: TWO }),
  alone("sequence of race and one", sequence(race(m0, m1), m2), { outcomes: TWO }),
  alone("retry of race", retry(race(m0, m1)), { outcomes: TWO }),
  alone("retry of gather, deadline", timeout(retry(gather(m0, m1)), 50), { outcomes: TWO, faults: 0 }),
  alone("fallback of gather", fallback(gather(m0, m1), m2), { outcomes: TWO }),
  alone("hedge of gather", hedge(gather(m0, m1), m2), { outcomes: TWO }),
  alone("map of race", map(race(m0, m1)), { outcomes: TWO }),
  alone("gather of maps", gather(map(m0), map(m1)), { outcomes: TWO }),
  alone("race of limits, gate of 1", race(limit(m0), limit(m1)), { outcomes: TWO, gate: { limit: 1, room: 1 } }),
  alone("gather of limits, gate of 1", gather(limit(m0), limit(m1)), { outcomes: TWO, gate: { limit: 1, room: 1 } }),
  alone("gather of limits, gate of 2", gather(limit(m0), limit(m1), limit(m2)), {
    outcomes: TWO,
    gate: { limit: 2, room: 1 },
  }),
  alone("retry of limit, full gate", gather(limit(m0), retry(limit(m1))), {
    outcomes: TWO,
    gate: { limit: 1, room: 0 },
  }),
];

const SINGLE: Plan[] = [
  alone("retry", retry(m0)),
  alone("retry, deadline", timeout(retry(m0), 50)),
  alone("retry, host has 1 place", retry(m0), { capacity: 1 }),
  alone("hedge", hedge(m0, m1)),
  alone("hedge, deadline", timeout(hedge(m0, m1), 50), { outcomes: TWO }),
  alone("hedge, host has 2 places", hedge(m0, m1), { capacity: 2 }),
  alone("fallback", fallback(m0, m1)),
  alone("fallback, deadline", timeout(fallback(m0, m1), 50)),
  alone("map", map(m0)),
  alone("within", within(m0), { cancelsScope: true }),
  together("two within, and their end", "AAA", (number) => (number === 2 ? join() : within(member(number))), {
    outcomes: ["resource"],
    cancels: [2],
    cancelsScope: true,
    atOnce: true,
  }),
];

/** Places inside, and room for those that wait; more room would be the same. */
function gatePlans(places: number, room: number): Plan[] {
  const rest = { gate: { limit: places, room }, outcomes: ["resource"] as const };
  const name = `limit, gate of ${places}, room for ${room}`;
  const three = [
    together(`${name}, AAA`, "AAA", limited, { ...rest, cancels: [0], atOnce: true }),
    together(`${name}, AAB`, "AAB", limited, { ...rest, cancels: [1], atOnce: true }),
    together(`${name}, ABA`, "ABA", limited, { ...rest, cancels: [2], atOnce: true }),
  ];
  if (places + room > 2) return three;
  return [
    together(`${name}, AA`, "AA", limited, { ...rest, outcomes: TWO }),
    together(`${name}, AB`, "AB", limited, { ...rest, outcomes: TWO }),
    ...three,
  ];
}

const GATES = [gatePlans(1, 0), gatePlans(1, 1), gatePlans(1, 3), gatePlans(2, 0), gatePlans(2, 1)].flat();

const MORE_OF_GATES: Plan[] = [
  together("limit, gate of 1, waits end, AB", "AB", limited, {
    gate: { limit: 1, room: 1 },
    outcomes: TWO,
    waitsEnd: true,
  }),
  together("limit, gate of 1, deadlines, AB", "AB", (number) => timeout(limited(number), 50 + number), {
    gate: { limit: 1, room: 1 },
    outcomes: ["resource"],
    cancels: [],
  }),
  together("limit, gate of 1, host has 1 place, AB", "AB", limited, { gate: { limit: 1, room: 1 }, capacity: 1 }),
  together("limit, gate of 1, host has 2 places, AAB", "AAB", limited, {
    gate: { limit: 1, room: 2 },
    outcomes: ["resource"],
    capacity: 2,
    cancels: [1],
    atOnce: true,
  }),
  together("limit, gate of 1, both contexts end, AB", "AB", limited, {
    gate: { limit: 1, room: 1 },
    outcomes: ["resource"],
    faults: 2,
  }),
];

const SHARED: Plan[] = [
  together("share, AA", "AA", shared, { outcomes: ["success", "failure"] }),
  together("share, AB", "AB", shared, { outcomes: TWO }),
  together("share, AAB", "AAB", shared, { outcomes: ["success", "failure"], cancels: [0], atOnce: true }),
  together("share, ABB", "ABB", shared, { outcomes: ["success"], cancels: [1], atOnce: true }),
  together("share, deadline, AB", "AB", (number) => (number === 0 ? timeout(shared(0), 50) : shared(1)), {
    outcomes: ["success"],
    cancels: [],
  }),
  together("share, host has 1 place, AB", "AB", shared, { capacity: 1 }),
  together("share, waits end, AB", "AB", shared, { outcomes: ["success"], waitsEnd: true }),
];

const flow = (number: number): Tree => (number % 2 === 0 ? send(number + 1) : receive());

const CHANNELS: Plan[] = [0, 1].flatMap((channel) => {
  const rest = { channel, closesChannel: true };
  return [
    together(`channel of ${channel}, AA`, "AA", flow, rest),
    together(`channel of ${channel}, AB`, "AB", flow, rest),
    together(`channel of ${channel}, ABA`, "ABA", flow, { ...rest, cancels: [1], atOnce: true }),
    together(`channel of ${channel}, ABAB`, "ABAB", flow, { ...rest, cancels: [], faults: 0, atOnce: true }),
    together(`channel of ${channel}, AB, waits end`, "AB", flow, { ...rest, waitsEnd: true }),
  ];
});

export const PLANS: readonly Plan[] = [
  ...listPlans(),
  ...SINGLE,
  ...NESTED,
  ...GATES,
  ...MORE_OF_GATES,
  ...SHARED,
  ...CHANNELS,
];
