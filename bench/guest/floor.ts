// The least that crosses the border: a call into the module, and one or two out of it.

// asc looks for the function that takes the place of its own.
export { abort } from "../../assembly/abort";

declare function poll(): void;
declare function submit(): void;

/** There and back. */
export function call(): void {
  poll();
}

/** What a turn cannot do without: it takes what has completed, and hands over what was started. */
export function turn(): void {
  poll();
  submit();
}
