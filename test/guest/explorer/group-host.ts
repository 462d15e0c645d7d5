// What the guest of groups asks of the explorer and tells it. The file's base name is the import module's name.

/** A word of the tree that says what group `group` is made of; see test/explorer/groups/tree.ts. */
export declare function word(group: u32, at: u32): i32;

/** A handler or a mapped function begins, and sees this completion. True: it shall throw. */
export declare function entered(who: u32, completion: usize): bool;

/** What the same cancel of a group answered at first and when it was asked again. */
export declare function cancelled(group: u32, first: i32, again: i32): void;
