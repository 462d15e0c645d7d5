// Server: the guest behind Node's own HTTP server. `node server.ts [port]`

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Proactor, kv } from "wasm-proactor";
import { filledStore, guest } from "./files.ts";

const app = await Proactor.instantiate(guest, { resources: { STORE: kv(await filledStore()) } });

// This guest reads no bodies; one that does is given `incoming` as a stream.
const server = createServer(async (incoming, outgoing) => {
  const response = await app.fetch(new Request(`http://localhost${incoming.url}`, { method: incoming.method! }));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(await response.bytes());
});

server.listen(Number(process.argv[2] ?? 8787), "localhost", () => {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`);
});
