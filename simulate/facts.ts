// Facts: what the world gave to whom, so that it can be compared with what the guest says that it got.

import { kv } from "../src/index.ts";
import type { KvGrant, OriginGrant } from "../src/index.ts";
import type { KvStore } from "../src/index.ts";
import type { Simulation } from "../src/testing/index.ts";

export const ORIGIN = "http://api.test";

/** The number by which a step of a program is known to the store; the interpreter computes the same. */
export function tagOf(id: number, index: number): number {
  return 1000 + id * 100 + index;
}

/** As the interpreter writes it. */
export function checksum(bytes: Uint8Array): string {
  let sum = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at++) sum = Math.imul(sum ^ bytes[at]!, 0x01000193);
  return `${bytes.length}.${sum >>> 0}`;
}

/** Bytes that only the step with this tag writes. */
export function contentOf(tag: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = tag + at * 7 + (at >> 8);
  return bytes;
}

/** What the upstream answers, and what a request brings along. */
export function bodyOf(id: number, index: number, length: number): Uint8Array<ArrayBuffer> {
  return contentOf(tagOf(id, index) * 31, length);
}

export class Facts {
  /** What a get was told, by its tag: the value's checksum, or "none". */
  readonly gets = new Map<number, string>();
  /** What the lists were told, as the interpreter writes it. */
  readonly lists = new Set<string>();
  /** What the guest has sent that nobody asked it to. */
  readonly wrong: string[] = [];

  /** A store that writes down what it gives. */
  kv(world: Simulation): KvGrant {
    const { store } = world.kv();
    const noted = (tag: number | undefined, value: ArrayBuffer | null): void =>
      void this.gets.set(tag ?? 0, value ? checksum(new Uint8Array(value)) : "none");
    const recording: KvStore = {
      ...store,
      get: async (key, options) => {
        this.#checkOwner(world, Math.floor(((options.cacheTtl ?? 0) - 1000) / 100), `get ${key}`);
        const value = await store.get(key, options);
        noted(options.cacheTtl, value);
        return value;
      },
      getWithMetadata: async (key, options) => {
        const found = await store.getWithMetadata(key, options);
        noted(options.cacheTtl, found.value);
        return found;
      },
      put: (key, value, options) => {
        this.#checkContent(new Uint8Array(value), `put ${key}`);
        return store.put(key, value, options);
      },
      list: async (options) => {
        const page = await store.list(options);
        this.lists.add(page.keys.map(({ name }) => `${name},`).join(""));
        return page;
      },
    };
    return kv(recording);
  }

  /** Content proves itself: each byte follows from the first. */
  #checkContent(bytes: Uint8Array<ArrayBuffer>, what: string): void {
    const expected = contentOf(bytes[0] ?? 0, bytes.length);
    const differs = bytes.findIndex((byte, at) => byte !== expected[at]);
    if (differs >= 0) this.wrong.push(`${what}: byte ${differs} of ${bytes.length} is not what the guest had written`);
  }

  /** Answers `/id/index?bytes=n`, slowly or not, with the bytes of that step. */
  origin(world: Simulation): OriginGrant {
    const grant = world.origin(ORIGIN, (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const [, id, index] = pathname.split("/");
      return new Response(bodyOf(Number(id), Number(index), Number(searchParams.get("bytes"))));
    });
    const fetch: OriginGrant["fetch"] = (url, init) => {
      this.#checkOwner(world, Number(new URL(url).pathname.split("/")[1]), `fetch ${url}`);
      // Looked at now: how long it takes to read a request's body differs from engine to engine.
      if (init.body instanceof Uint8Array) this.#checkContent(init.body as Uint8Array<ArrayBuffer>, `POST ${url}`);
      else if (init.method === "POST" && init.body !== null) this.wrong.push(`POST ${url} has a body of another kind`);
      return grant.fetch(url, init);
    };
    return { ...grant, fetch };
  }

  /** A program's calls are made on the stack of its own request, and of no other. */
  #checkOwner({ platform: { running } }: Simulation, id: number, what: string): void {
    if (running?.index !== id) this.wrong.push(`${what} was made on the stack of ${running?.name ?? "nobody"}`);
  }
}
