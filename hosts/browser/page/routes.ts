// Routes: what there is to press.

export interface Route {
  readonly method: string;
  readonly path: string;
  readonly what: string;
  readonly body?: string;
  /** Milliseconds after which the client goes away. */
  readonly leavesAfter?: number;
}

export const ROUTES: readonly Route[] = [
  { method: "GET", path: "/hello", what: "An answer at once, no I/O" },
  { method: "GET", path: "/sleep/300", what: "A timer" },
  { method: "POST", path: "/upper", what: "Read the request's body", body: "quiet please" },
  { method: "PUT", path: "/kv/greeting", what: "Write a key, into IndexedDB", body: "Hello, KV" },
  { method: "GET", path: "/kv/greeting", what: "Read it; it outlives the page" },
  { method: "GET", path: "/kv?prefix=gre", what: "List keys" },
  { method: "DELETE", path: "/kv/greeting", what: "Remove it: reading then is a 404" },
  { method: "GET", path: "/aggregate?n=5&delay=100", what: "Five fetches at once, in the time of one" },
  { method: "GET", path: "/page/welcome", what: "Cache-aside: a miss, then hits for a minute" },
  { method: "GET", path: "/deadline?timeout=50&delay=500", what: "A fetch that is too slow: 504" },
  { method: "GET", path: "/proxy/echo", what: "Upstream's response, untouched" },
  { method: "GET", path: "/proxy/file?size=20000000", what: "20 MB that never enter the guest's memory" },
  { method: "GET", path: "/proxy/slow?delay=10000", what: "A client that goes away after 300 ms", leavesAfter: 300 },
  { method: "GET", path: "/nowhere", what: "Refusals are JSON" },
];
