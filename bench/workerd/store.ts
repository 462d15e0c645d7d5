// Plays KV for a workerd that runs alone: every key has the same value, at once. So what a Worker adds to a read is
// measured against the cheapest read there can be.

const value = "x".repeat(100);

export default {
  fetch: (): Response => new Response(value),
};
