// A guest is told what to do by a request, `/?count=1000&size=16`, and answers `count`.

import { Proactor } from "wasm-proactor";
import type { Grants } from "wasm-proactor";
import type { Run } from "../../peer.ts";

/** The pump would let other events go first now and then, by a timer, which is not what is measured here. */
export const limits = { runs: 1_000_000_000 };

export function guest(module: WebAssembly.Module, path = "/", resources: Grants = {}): Run {
  let app: Proactor | undefined;
  return async (count, size) => {
    app ??= new Proactor(module, { resources, limits });
    const response = await app.fetch(new Request(`http://bench${path}?count=${count}&size=${size}`));
    const text = await response.text();
    if (text !== String(count)) throw new Error(`the guest answers ${response.status} ${text.slice(0, 200)}`);
  };
}
