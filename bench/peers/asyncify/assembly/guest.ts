// The guest of JSPI, waiting as if its imports were synchronous: Asyncify has rewritten every function so that it can be
// left and come back to.

export * from "../../jspi/assembly/guest";

/** Where Asyncify keeps the stack while it is left: two pointers, and room. */
export const area = memory.data(1024, 8);
