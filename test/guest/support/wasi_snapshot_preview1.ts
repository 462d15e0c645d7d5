// Functions of WASI that tests call themselves. The file's base name is the import module's name.

/** Waits for events. Returns an error number. */
export declare function poll_oneoff(subscriptions: usize, events: usize, count: u32, written: usize): u32;

/** Fills a buffer with random numbers. Returns an error number. */
export declare function random_get(buffer: usize, bytes: usize): u32;
