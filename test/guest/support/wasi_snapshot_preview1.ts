// A function of WASI that AssemblyScript's own library does not call. The file's base name is the import module's name.

/** Waits for events. Returns an error number. */
export declare function poll_oneoff(subscriptions: usize, events: usize, count: u32, written: usize): u32;
