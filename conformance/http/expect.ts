// Expect: what differs between what came and what should have come, in lines for a person. Runs wherever the checks do,
// a page included, so it is no assertion library of Node's.

/** A check that found something else than it expects. */
export class Difference extends Error {
  override readonly name = "Difference";
}

/** A value that is described rather than given: a text by a RegExp, anything else by a predicate. */
export class Described {
  readonly description: string;
  readonly fits: (value: unknown) => boolean;

  constructor(description: string, fits: (value: unknown) => boolean) {
    this.description = description;
    this.fits = fits;
  }
}

export const aText = new Described("any text", (value) => typeof value === "string");

export function wholeNumber(min: number, max = Infinity): Described {
  const fits = (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  return new Described(`a whole number from ${min} to ${max}`, fits);
}

/** Throws a Difference that says everything in which `actual` is not `expected`. */
export function expectEqual(actual: unknown, expected: unknown, what = "it"): void {
  const lines = differences(actual, expected, what);
  if (lines.length > 0) throw new Difference(lines.join("\n"));
}

/** A line for each difference. `what` names the value. */
export function differences(actual: unknown, expected: unknown, what: string): string[] {
  if (expected instanceof Described) return expected.fits(actual) ? [] : [line(what, expected.description, actual)];
  if (expected instanceof RegExp)
    return typeof actual === "string" && expected.test(actual) ? [] : [line(what, `what matches ${expected}`, actual)];
  if (expected instanceof Uint8Array && actual instanceof Uint8Array) return differentBytes(actual, expected, what);
  if (isObject(expected) && isObject(actual)) return differentMembers(actual, expected, what);
  return Object.is(actual, expected) ? [] : [line(what, shown(expected), actual)];
}

function differentMembers(actual: object, expected: object, what: string): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
  return names.flatMap((name) => differences(own(actual, name), own(expected, name), `${what}.${name}`));
}

const own = (value: object, name: string): unknown => (value as Record<string, unknown>)[name];

function differentBytes(actual: Uint8Array, expected: Uint8Array, what: string): string[] {
  if (actual.length !== expected.length) return [line(`${what}: bytes`, `${expected.length}`, actual.length)];
  let at = 0;
  while (at < expected.length && actual[at] === expected[at]) at++;
  return at === expected.length ? [] : [line(`${what}: byte ${at}`, `${expected[at]}`, actual[at])];
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

const line = (what: string, expected: string, actual: unknown): string =>
  `${what}: expected ${expected}, found ${shown(actual)}`;

const SHOWN_CHARACTERS = 300;

function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value));
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}… (${text.length} characters)` : text;
}

/** What an answer must be. Headers that are not named may be anything. */
export interface Answer {
  status: number;
  headers?: Record<string, string | RegExp | null>;
  /** A text, or what one matches; bytes. */
  body?: string | RegExp | Uint8Array;
  /** What the body is as JSON. */
  json?: unknown;
}

/** Throws a Difference that says everything in which the response is not this answer. */
export async function expectAnswer(response: Response, expected: Answer): Promise<void> {
  const lines = differences(response.status, expected.status, "status");
  for (const [name, value] of Object.entries(expected.headers ?? {}))
    lines.push(...differences(response.headers.get(name), value, `header ${name}`));
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = (): string => new TextDecoder().decode(bytes);
  if (expected.body instanceof Uint8Array) lines.push(...differences(bytes, expected.body, "body"));
  else if (expected.body !== undefined) lines.push(...differences(text(), expected.body, "body"));
  if ("json" in expected) lines.push(...differentJson(text(), expected.json));
  // What came instead often says why.
  if (lines.length > 0 && expected.body === undefined && !("json" in expected))
    lines.push(`its body: ${shown(text())}`);
  if (lines.length > 0) throw new Difference(lines.join("\n"));
}

function differentJson(text: string, expected: unknown): string[] {
  try {
    return differences(JSON.parse(text), expected, "body");
  } catch {
    return [`body: expected JSON, found ${shown(text)}`];
  }
}
