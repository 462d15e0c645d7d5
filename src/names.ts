// Names: what is misspelt must not quietly be the default, or nothing.

/**
 * The settings, with the default of each that is left out, or that is undefined because its owner leaves it open. Throws a
 * TypeError if one is unknown. `what` says what they are.
 */
export function complete<T extends object>(what: string, settings: Partial<T>, defaults: T): T {
  checkNames(what, Object.keys(settings), Object.keys(defaults));
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

/** Throws a TypeError if one of these names is unknown. `what` says of what they are the names. */
export function checkNames(what: string, names: readonly string[], known: readonly string[]): void {
  for (const name of names)
    if (!known.includes(name)) throw new TypeError(`${what}: "${name}" is none of ${known.join(", ")}`);
}
