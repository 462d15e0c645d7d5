// A function of WASI that the probe calls itself. The file's base name is the import module's name.

/** Fills a buffer with random numbers. Returns an error number. */
export declare function random_get(buffer: usize, bytes: usize): u32;
