// Nothing but a page of memory.
// options: --initialMemory 1

// asc looks for the function that takes the place of its own.
export { abort } from "../../assembly/abort";
