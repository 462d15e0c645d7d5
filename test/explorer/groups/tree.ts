// Tree: what a group of operations is made of, and what is known of it when it completes.

import { Kind } from "../../guest/explorer/groups-numbers.ts";

export { Command, Kind } from "../../guest/explorer/groups-numbers.ts";

export interface Tree {
  readonly kind: Kind;
  readonly of: readonly Tree[];
  /** A member's, or the number that is sent. */
  readonly identity: number;
  /** Milliseconds, which no other deadline has; 0 for none. */
  readonly deadline: number;
}

const tree = (kind: Kind, of: readonly Tree[], identity = 0): Tree => ({ kind, of, identity, deadline: 0 });

export const member = (identity: number): Tree => tree(Kind.Member, [], identity);
export const gather = (...of: Tree[]): Tree => tree(Kind.Gather, of);
export const settled = (...of: Tree[]): Tree => tree(Kind.Settled, of);
export const race = (...of: Tree[]): Tree => tree(Kind.Race, of);
export const any = (...of: Tree[]): Tree => tree(Kind.Any, of);
export const sequence = (...of: Tree[]): Tree => tree(Kind.Sequence, of);
export const retry = (of: Tree): Tree => tree(Kind.Retry, [of]);
export const hedge = (first: Tree, second: Tree): Tree => tree(Kind.Hedge, [first, second]);
export const fallback = (first: Tree, second: Tree): Tree => tree(Kind.Fallback, [first, second]);
export const limit = (of: Tree): Tree => tree(Kind.Limit, [of]);
export const share = (of: Tree): Tree => tree(Kind.Share, [of]);
export const within = (of: Tree): Tree => tree(Kind.Within, [of]);
export const map = (of: Tree): Tree => tree(Kind.Map, [of]);
export const send = (number: number): Tree => tree(Kind.Send, [], number);
export const receive = (): Tree => tree(Kind.Receive, []);
export const join = (): Tree => tree(Kind.Join, []);
export const timeout = (of: Tree, deadline: number): Tree => ({ ...of, deadline });

/** As the guest reads it. */
export function wordsOf({ kind, deadline, identity, of }: Tree): number[] {
  const own = kind === Kind.Member || kind === Kind.Send ? [identity] : hasList(kind) ? [of.length] : [];
  return [kind, deadline, ...own, ...of.flatMap(wordsOf)];
}

const hasList = (kind: Kind): boolean => kind >= Kind.Gather && kind <= Kind.Sequence;

export function contains({ kind, of }: Tree, wanted: Kind): boolean {
  return kind === wanted || of.some((child) => contains(child, wanted));
}

export function membersOf({ kind, of, identity }: Tree): number[] {
  return kind === Kind.Member ? [identity] : of.flatMap(membersOf);
}

/** The members inside groups of this kind. */
export function membersIn(kind: Kind, tree: Tree): number[] {
  return tree.kind === kind ? membersOf(tree) : tree.of.flatMap((child) => membersIn(kind, child));
}

export function deadlinesOf({ deadline, of }: Tree): number[] {
  return [...(deadline ? [deadline] : []), ...of.flatMap(deadlinesOf)];
}
