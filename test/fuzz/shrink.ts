// Shrink: takes parts out of a script as long as it still fails, so that what is left is what it takes.

/** A list inside a script. */
export interface Part<S> {
  readonly length: number;
  /** The script without these items of the list. */
  without(from: number, to: number): S;
}

/**
 * The smallest script found within so many attempts. `parts` gives the lists of a script from which items may be taken
 * out; larger ones first.
 */
export async function shrink<S>(
  script: S,
  parts: (script: S) => Part<S>[],
  fails: (script: S) => Promise<boolean> | boolean,
  attempts: number,
): Promise<S> {
  let smallest = script;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (let index = 0; index < parts(smallest).length; index++) {
      for (let size = parts(smallest)[index]!.length; size >= 1; size = Math.floor(size / 2)) {
        for (let from = 0; from < parts(smallest)[index]!.length;) {
          if (attempts-- <= 0) return smallest;
          const smaller = parts(smallest)[index]!.without(from, from + size);
          if (await fails(smaller)) {
            smallest = smaller;
            isSmaller = true;
          } else {
            from += size;
          }
        }
      }
    }
  }
  return smallest;
}

/** The items before `from` and from `to` on. */
export function without<T>(items: readonly T[], from: number, to: number): T[] {
  return [...items.slice(0, from), ...items.slice(to)];
}
