// A Worker that looks at nothing and answers a constant: what server and runtime take for themselves.

const headers = { "content-type": "text/plain" };

export default {
  fetch: (): Response => new Response("hello", { headers }),
};
