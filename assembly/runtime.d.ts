// What the compiler provides and its declarations for editors leave out.

/** Takes a block of `size` bytes for an object of the class `id`. Only the incremental runtime zeroes it. */
declare function __new(size: usize, id: u32): usize;

/** Gives an object another size, and perhaps another place. */

/** Tells the collector of a reference that was stored by hand. */
declare function __link(parent: usize, child: usize, expectMultiple: bool): void;

/** Collects garbage now, if the runtime has a collector. */
declare function __collect(): void;
