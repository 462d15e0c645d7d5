// Oracle: what a group's result must be, given what its members came to.
//
// For a group of members alone the host knows the outcome as soon as they are heard (`decideBy`). One that has groups inside
// must come to something that the members explain: each result is that of the operation in its place.

import {
  COMPLETION_AUXILIARY,
  COMPLETION_BYTES,
  COMPLETION_FLAGS,
  COMPLETION_PAYLOAD,
  COMPLETION_PAYLOAD_BYTES,
  COMPLETION_RESOURCE,
  COMPLETION_STATUS,
  Status,
} from "../../../assembly/abi.ts";
import { ALL, DEADLINE, OPEN } from "./state.ts";
import type { Group, State } from "./state.ts";
import { Kind, contains, membersOf } from "./tree.ts";
import type { Tree } from "./tree.ts";
import type { World } from "./world.ts";

/** Flag of a composite's completion: its payload is a list of records. See assembly/compose/composite.ts. */
const RECORDS = 0x1_0000;

interface Result {
  readonly status: number;
  readonly resource: number;
  readonly auxiliary: number;
  /** The first word of the payload; undefined if it has none. */
  readonly value: number | undefined;
  readonly list: readonly Result[] | undefined;
}

const RETRYABLE: ReadonlySet<number> = new Set([Status.Again, Status.TimedOut, Status.Network]);
const CHOOSING: ReadonlySet<Kind> = new Set([Kind.Any, Kind.Fallback, Kind.Hedge, Kind.Retry]);

const WAITING: ReadonlySet<Kind> = new Set([Kind.Limit, Kind.Share, Kind.Send, Kind.Receive, Kind.Join]);

const isFlat = ({ of }: Tree): boolean => of.every(({ kind }) => kind === Kind.Member);

/** Takes note of what a member's completion decides. */
export function decideBy(tree: Tree, group: Group, state: State, identity: number, status: number): void {
  if (group.decided !== OPEN || !isFlat(tree)) return;
  const hasFailed = status < 0;
  const isLast = tree.of.every((child) => state.members[child.identity]!.status !== null);
  switch (tree.kind) {
    case Kind.Race:
    case Kind.Limit:
    case Kind.Within:
      group.decided = identity;
      break;
    case Kind.Gather:
    case Kind.Sequence:
      if (hasFailed) group.decided = identity;
      else if (isLast) group.decided = ALL;
      break;
    case Kind.Settled:
      if (isLast) group.decided = ALL;
      break;
    case Kind.Any:
    case Kind.Hedge:
    case Kind.Fallback:
      if (hasFailed && !isLast) group.failures++;
      else group.decided = identity;
      break;
    case Kind.Retry:
      if (group.failures === 0 && RETRYABLE.has(status)) group.failures++;
      else group.decided = identity;
      break;
    default:
  }
}

export class Oracle {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** A mapped function sees a success, and whatever the result holds is its own now. */
  mapped(at: number, context: number): void {
    const result = this.#read(at);
    this.#world.checks.that(result.status === 0, "G16", () => `a function maps the failure ${Status[result.status]}`);
    this.#take(result, context);
  }

  /** The handler of a group sees this completion. Returns how many failures must have been reported, if that is known. */
  completed(number: number, at: number): number | undefined {
    const { checks, plan, state } = this.#world;
    const { tree, context } = plan.groups[number]!;
    const group = state.groups[number]!;
    const result = this.#read(at);
    this.#world.log?.(`    it sees ${describe(result)}`);
    if (group.cancelled) {
      const isCancelled = result.status === Status.Cancelled && result.resource === 0 && !result.list;
      checks.that(isCancelled, "G7", () => `group ${number} was cancelled, and sees ${describe(result)}`);
      return undefined;
    }
    this.#take(result, context);
    const isRefused = group.refused && result.status === Status.Again && result.resource === 0;
    const isExplained = isRefused || this.#explains(tree, result);
    checks.that(isExplained, "G16", () => `group ${number} sees ${describe(result)}, which no member explains`);
    if (tree.kind === Kind.Send && result.status === 0) group.value = tree.identity;
    if (tree.kind === Kind.Receive && result.status === 0) this.#receive(group, result.value!);
    if (!isFlat(tree) || isRefused) return undefined;
    this.#checkFlat(number, group, result);
    return CHOOSING.has(tree.kind) ? group.failures : undefined;
  }

  #checkFlat(number: number, { decided }: Group, result: Result): void {
    const { checks, state } = this.#world;
    if (decided >= 0) {
      const { status, resource } = state.members[decided]!;
      const isIts = result.status === status && result.resource === resource && !result.list;
      checks.that(isIts, "G16", () => `group ${number} sees ${describe(result)}, not what member ${decided} came to`);
    }
    if (decided === DEADLINE) {
      checks.that(result.status === Status.TimedOut, "G16", () => `group ${number} sees ${describe(result)} too late`);
    }
    if (decided === ALL) checks.that(result.list !== undefined, "G16", () => `group ${number} has no list`);
  }

  #receive(group: Group, value: number): void {
    const { checks, plan, state } = this.#world;
    const isNew = plan.groups.every(
      ({ tree }, number) => tree.kind !== Kind.Receive || state.groups[number]!.value !== value,
    );
    checks.that(isNew, "G3", () => `the value ${value} is received twice`);
    group.value = value;
  }

  /** Each resource is the context's own, and nobody had it before. */
  #take({ resource, list }: Result, context: number): void {
    if (resource !== 0) {
      const { resources } = this.#world.state;
      const isOwn = resources[resource] === context;
      this.#world.checks.that(isOwn, "G8", () => `resource ${resource} is handed over, and it is not here`);
      delete resources[resource];
    }
    for (const item of list ?? []) this.#take(item, context);
  }

  #explains(tree: Tree, result: Result): boolean {
    const { status, resource, list, value } = result;
    const { state, plan } = this.#world;
    const isBare = resource === 0 && !list;
    // A deadline of the host's own ends a member without one of ours.
    if (tree.deadline && tree.kind !== Kind.Member && state.passed.includes(tree.deadline)) {
      if (status === Status.TimedOut && isBare) return true;
    }
    if (WAITING.has(tree.kind) && plan.waitsEnd && status === Status.TimedOut && isBare) return true;
    switch (tree.kind) {
      case Kind.Member: {
        const member = state.members[tree.identity]!;
        const isOwn = status === member.status && resource === member.resource && !list;
        return isOwn && (status < 0 || (result.auxiliary === tree.identity && value === tree.identity));
      }
      case Kind.Gather:
      case Kind.Sequence:
        if (status < 0) return !list && this.#someExplains(tree, result);
        return this.#eachExplains(tree, list) && list!.every((item) => item.status === 0);
      case Kind.Settled:
        return status === 0 && this.#eachExplains(tree, list);
      case Kind.Race:
      case Kind.Any:
        if (tree.of.length === 0) return status === Status.Invalid && isBare;
        return this.#someExplains(tree, result);
      case Kind.Limit:
        if (status === Status.Again && isBare) return true;
        return this.#someExplains(tree, result);
      case Kind.Share:
        if (status === Status.NotSupported && isBare) return true;
        return plan.groups.some(
          (group) => contains(group.tree, Kind.Share) && this.#explains(group.tree.of[0]!, result),
        );
      case Kind.Map:
        if (status < 0) return this.#someExplains(tree, result);
        return isBare && membersOf(tree).includes(value!);
      case Kind.Send:
      case Kind.Join:
        return isBare && (status === 0 || (tree.kind === Kind.Send && status === Status.Closed));
      case Kind.Receive:
        if (status === Status.Closed) return isBare;
        return isBare && status === 0 && plan.groups.some((group) => sends(group.tree, value!));
      default:
        return this.#someExplains(tree, result);
    }
  }

  #someExplains({ of }: Tree, result: Result): boolean {
    return of.some((child) => this.#explains(child, result));
  }

  #eachExplains({ of }: Tree, list: readonly Result[] | undefined): boolean {
    return list?.length === of.length && of.every((child, index) => this.#explains(child, list[index]!));
  }

  #read(at: number): Result {
    const { words } = this.#world.machine;
    const word = (offset: number): number => words[(at + offset) >>> 2]!;
    const [payload, bytes] = [word(COMPLETION_PAYLOAD), word(COMPLETION_PAYLOAD_BYTES)];
    const isList = (word(COMPLETION_FLAGS) & RECORDS) !== 0;
    const count = isList ? bytes / COMPLETION_BYTES : 0;
    return {
      status: word(COMPLETION_STATUS),
      resource: word(COMPLETION_RESOURCE),
      auxiliary: word(COMPLETION_AUXILIARY),
      // An object of the guest's has no length here.
      value: payload === 0 ? undefined : words[payload >>> 2],
      list: isList
        ? Array.from({ length: count }, (_, index) => this.#read(payload + index * COMPLETION_BYTES))
        : undefined,
    };
  }
}

const sends = ({ kind, identity, of }: Tree, value: number): boolean =>
  (kind === Kind.Send && identity === value) || of.some((child) => sends(child, value));

function describe({ status, resource, list, auxiliary }: Result): string {
  if (list) return `[${list.map(describe).join(", ")}]`;
  const name = Status[status] ?? String(status);
  return `${name} of ${auxiliary}${resource ? ` with resource ${resource}` : ""}`;
}
