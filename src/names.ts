// Names: what is misspelt must not quietly be the default, or nothing.

/** Throws a TypeError if one of these names is unknown. `what` says of what they are the names. */
export function checkNames(what: string, names: readonly string[], known: readonly string[]): void {
  for (const name of names)
    if (!known.includes(name)) throw new TypeError(`${what}: "${name}" is none of ${known.join(", ")}`);
}
