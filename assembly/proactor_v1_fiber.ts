// The imports by which fibers are switched, declared once; only guests that use fibers have them. The file's base name is
// the import module's name.
//
// Two things can stand behind them: a host with JSPI, which runs a fiber after the turn, on a stack of its own; or code
// that the build tool puts into the module, which runs it inside the call (see tools/asyncify.ts).

/**
 * Runs a fiber, or continues one that is suspended. Returns -1 if that happens after this turn. Otherwise it has happened,
 * and the result is 0 if the fiber has ended, or how many bytes of its stack are to be kept, and must be where they are
 * now when it is resumed: in `area`, from the ninth byte on. `stack_bytes` is the result of the last time, 0 at first.
 */
export declare function resume(fiber: usize, area: usize, area_bytes: u32, stack_bytes: u32): i32;

/** Called on a fiber: returns once it is resumed. */
export declare function suspend(fiber: usize): void;

/** Called on a fiber when it begins, and after each `suspend`. Returns 0 if its context is over; it must end then. */
export declare function enter(fiber: usize): u32;

/** Called on a fiber before each `suspend`, and at its end: nothing is submitted after this. */
export declare function leave(fiber: usize): void;
