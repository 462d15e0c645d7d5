// Plays the rest of the world for a workerd that runs alone: what a Worker fetches comes from here, at once.

const part = "y".repeat(100);
const large = new Uint8Array(10_000_000).fill(122);

export default {
  fetch: (request: Request): Response => new Response(request.url.endsWith("/large") ? large : part),
};
