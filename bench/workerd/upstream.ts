// Plays the rest of the world for a workerd that runs alone: what a Worker fetches comes from here, at once.

const part = "y".repeat(100);

const BYTES = 10_000_000;
const chunk = new Uint8Array(100_000).fill(122);

/** In chunks: of a body in one piece workerd makes a copy for each response, and lets go of it only much later. */
function large(): Response {
  const { readable, writable } = new FixedLengthStream(BYTES);
  void write(writable.getWriter());
  return new Response(readable);
}

async function write(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
  for (let written = 0; written < BYTES; written += chunk.length) await writer.write(chunk);
  await writer.close();
}

export default {
  fetch: (request: Request): Response =>
    request.url.endsWith("/large") ? large() : new Response(part, { headers: { "content-length": "100" } }),
};
