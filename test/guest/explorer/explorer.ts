// What the driven guest asks of the explorer and tells it. The file's base name is the import module's name.

/** What a handler shall do next: an Action, with the identity of a new handler in the bits from 8 on. */
export declare function next(): u32;

/** The token that an action is about: its slot (0) or its generation (1). */
export declare function subject(half: u32): u32;

/** A submission has returned this token. */
export declare function submitted(slot: u32, generation: u32): void;

/** What the same cancel answered at first and when it was asked again. */
export declare function cancelled(first: i32, again: i32): void;

/**
 * A handler begins: its identity, where its completion lies, how many operations the guest counts as in flight, and
 * what a cancel of its own token came to.
 */
export declare function entered(identity: u32, completion: usize, inFlight: u32, own: i32): void;

/** The handler is about to return. */
export declare function left(): void;
