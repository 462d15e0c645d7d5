// Serve: a peer as a Worker. `/?workload=noop&count=1000&size=16` does so many operations and answers `count`.

import type { Peer, Workload } from "../peer.ts";

export function serve(peer: Peer): ExportedHandler {
  return {
    async fetch(request) {
      const { searchParams } = new URL(request.url);
      const [count, size] = [Number(searchParams.get("count")), Number(searchParams.get("size"))];
      // An empty one: what a request costs by itself, which who measures takes off.
      if (count > 0) await peer[searchParams.get("workload") as Workload]!(count, size);
      return new Response(String(count));
    },
  };
}
