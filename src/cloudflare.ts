// Cloudflare Workers: the module handler that a Worker exports, and the grants of its bindings.

import { checkModule } from "./module.ts";
import { completeOptions } from "./options.ts";
import type { ProactorOptions } from "./options.ts";
import { Proactor } from "./proactor.ts";
import type { Lifetime } from "./request-context.ts";
import type { Grants } from "./resource.ts";

export { kv, origin } from "./resource.ts";

/** Everything but the resources, which depend on the bindings. */
export type WorkerOptions = Omit<ProactorOptions, "resources">;

export interface Worker<Env> {
  fetch(request: Request, env: Env, ctx: Lifetime): Response | Promise<Response>;
  /** The proactor that serves this environment; for its counters. */
  proactor(env: Env): Proactor;
}

/**
 * Makes the default export of a Worker: `export default createWorker(app, (env) => ({ CACHE: kv(env.CACHE) }))`.
 * `module` is an imported `.wasm` file. Throws a ModuleError while the Worker starts if that is no guest, and a
 * TypeError for options that cannot work.
 */
export function createWorker<Env extends object>(
  module: WebAssembly.Module,
  resources: (env: Env) => Grants,
  options: WorkerOptions | ((env: Env) => WorkerOptions) = {},
): Worker<Env> {
  checkModule(module, typeof options === "function" || options.instantiate);
  if (typeof resources !== "function")
    throw new TypeError("createWorker: give a function: (env) => ({ NAME: kv(env.NAME) })");
  if (typeof options !== "function") completeOptions(options);
  // Bindings are known only inside a request. An isolate has one environment; tests may bring more.
  const proactors = new WeakMap<Env, Proactor>();

  function proactor(env: Env): Proactor {
    let found = proactors.get(env);
    if (!found) {
      const rest = typeof options === "function" ? options(env) : options;
      const grants = resources(env);
      if (!grants || grants instanceof Promise)
        throw new TypeError("createWorker: give grants: (env) => ({ NAME: kv(env.NAME) }), not async");
      found = new Proactor(module, { ...rest, resources: grants });
      proactors.set(env, found);
    }
    return found;
  }

  return { fetch: (request, env, ctx) => proactor(env).answer(request, ctx), proactor };
}
