// Built-ins of AssemblyScript that its declarations for editors leave out.

/** Collects garbage now, if the runtime has a collector. */
declare function __collect(): void;
