// Checks: what a test's author gives is refused where it is wrong. Most tests are JavaScript, so that no compiler looks.

import { complete } from "../names.ts";

/** The least and the most milliseconds. */
export type Span = readonly [least: number, most: number];

/** As `complete`, of what may be no object at all. */
export function completeObject<T extends object>(what: string, settings: Partial<T>, defaults: T): T {
  if (typeof settings !== "object" || settings === null)
    throw new TypeError(`${what}: ${String(settings)} is no object; give some of ${Object.keys(defaults).join(", ")}`);
  return complete(what, settings, defaults);
}

export function checkSpan(name: string, span: Span): void {
  if (!Array.isArray(span) || span.length !== 2)
    throw new TypeError(`${name}: give the least and the most milliseconds, such as [1, 50]`);
  const [least, most] = span;
  if (!(isFrom0(least) && isFrom0(most) && least <= most && most < Infinity))
    throw new RangeError(
      `${name}: ${String(least)} and ${String(most)} are not the least and the most milliseconds; give such as [1, 50]`,
    );
}

export function checkProbability(name: string, probability: number): void {
  if (!(isFrom0(probability) && probability <= 1))
    throw new RangeError(`${name}: ${String(probability)} is no probability from 0 to 1`);
}

export function checkFrom0(name: string, number: number): void {
  if (!isFrom0(number)) throw new RangeError(`${name}: ${String(number)} is no number from 0`);
}

export function checkWhole(name: string, number: number): void {
  if (!Number.isSafeInteger(number)) throw new RangeError(`${name}: ${String(number)} is no whole number`);
}

export function checkFunction(name: string, hook: unknown): void {
  if (typeof hook !== "function") throw new TypeError(`${name}: this is no function`);
}

/** Whether this is one, whichever realm or library it comes from. */
export function isA(name: "Request" | "Response", value: unknown): boolean {
  return (value as { [Symbol.toStringTag]?: string } | undefined)?.[Symbol.toStringTag] === name;
}

const isFrom0 = (number: unknown): boolean => typeof number === "number" && number >= 0;
