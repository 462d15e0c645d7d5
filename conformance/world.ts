// World: the driver of the JavaScript host, wherever it runs. Its store and its network return when the script says so.

import { Proactor, kv, origin } from "wasm-proactor";
import type { ErrorReport, Grants, KvStore, Limits } from "wasm-proactor";
import { VirtualClock } from "wasm-proactor/testing";
import type {
  Answer,
  Arrival,
  BodyText,
  Call,
  Command,
  Pairs,
  Reply,
  Report,
  Result,
  Start,
  Text,
} from "./protocol.ts";

/** What a rejected call says, so that the host's KV takes it for this. */
const STORE_ERRORS: Record<string, string> = {
  "rate-limited": "KV: 429 Too Many Requests",
  quota: "KV: the quota is used up",
  invalid: "KV: 400 invalid",
  "too-big": "KV: 413 too large",
  failed: "KV: broken",
};

/** Rounds through the platform's queue after which nothing that only waits for promises is left. */
const SETTLING_ROUNDS = 3;

interface Pending {
  resolve(result: Result): void;
}

export class World {
  readonly #load: (path: string) => Promise<WebAssembly.Module>;
  #reply: Reply = {};
  #clock = new VirtualClock();
  #proactor: Proactor | undefined;
  /** Calls that have not returned, and how often each name was called. */
  #pending = new Map<string, Pending>();
  #named = new Map<string, number>();
  #clients = new Map<string, AbortController>();
  #random = 0;

  constructor(load: (path: string) => Promise<WebAssembly.Module>) {
    this.#load = load;
  }

  /** What the guest writes to its console goes to the reply. */
  readonly log = (line: unknown): void => void (this.#reply.console ??= []).push(String(line));

  /** Works a command off, and says what was to be seen meanwhile. */
  async perform(command: Command): Promise<Reply> {
    this.#reply = {};
    try {
      await this.#perform(command);
    } catch (error) {
      this.#reply.error = (error as Error).message;
    }
    await this.#settle();
    await this.#pass(0);
    return this.#reply;
  }

  async #perform(command: Command): Promise<void> {
    switch (command.do) {
      case "hello":
        return;
      case "start":
        return this.#start(command);
      case "request":
        return this.#send(command);
      case "complete":
        return this.#complete(command.calls);
      case "advance":
        return this.#pass(command.ms);
      case "abandon":
        return this.#clients.get(command.id)?.abort();
      case "shutdown":
        return void this.#proactor?.shutdown(command.mode).then(() => (this.#reply.shutDown = true));
      case "counters":
        if (this.#proactor) this.#reply.counters = { ...this.#proactor.counters };
    }
  }

  // Time.

  async #settle(): Promise<void> {
    for (let round = 0; round < SETTLING_ROUNDS; round++) await new Promise((resolve) => setTimeout(resolve));
  }

  async #pass(ms: number): Promise<void> {
    const until = this.#clock.now() + ms;
    while (this.#clock.earliest <= until) {
      this.#clock.fireNext();
      await this.#settle();
    }
    this.#clock.moveTo(until);
  }

  // The host.

  async #start({ module, isolation, limits, resources = {} }: Start): Promise<void> {
    this.#proactor = undefined;
    this.#clock = new VirtualClock();
    this.#pending = new Map();
    this.#named = new Map();
    this.#clients = new Map();
    this.#random = 0;
    const grants: Grants = {};
    for (const [name, grant] of Object.entries(resources))
      grants[name] =
        "kv" in grant
          ? kv(this.#store(name), { rights: grant.kv as never })
          : origin(grant.origins, { fetcher: { fetch: (url, init) => this.#fetch(name, url, init) } });
    try {
      this.#proactor = await Proactor.instantiate(await this.#load(module), {
        resources: grants,
        isolation,
        limits: limits as Partial<Limits>,
        clock: this.#clock,
        random: (bytes) => bytes.forEach((_, at) => (bytes[at] = this.#random++)),
        onError: (report) => void (this.#reply.reports ??= []).push(reportOf(report)),
      });
    } catch (error) {
      if ((error as Error).name !== "ModuleError") throw error;
      this.#reply.refused = true;
    }
  }

  #send({ id, method = "GET", url, headers = [], body }: Arrival): void {
    const client = new AbortController();
    this.#clients.set(id, client);
    const streaming = body === undefined ? {} : { body: streamOf(body), duplex: "half" };
    const request = new Request(url, { method, headers, signal: client.signal, ...streaming } as RequestInit);
    const answer = async (): Promise<void> => {
      const response = await this.#proactor!.fetch(request);
      if (client.signal.aborted) return;
      const { bytes, broken } = await bytesOf(response.body);
      const { status } = response;
      const told: Answer = { id, status, headers: pairsOf(response.headers), body: textOf(bytes) };
      (this.#reply.answers ??= []).push(broken ? { ...told, broken } : told);
    };
    void answer();
  }

  // Calls of the host's.

  /** Tells of a call, and waits until the script lets it return. */
  #call(name: string, details: Omit<Call, "call">): Promise<Result> {
    const count = (this.#named.get(name) ?? 0) + 1;
    this.#named.set(name, count);
    const call = count === 1 ? name : `${name} #${count}`;
    (this.#reply.calls ??= []).push({ call, ...details });
    return new Promise((resolve) => this.#pending.set(call, { resolve }));
  }

  #complete(calls: { call: string; with?: Result }[]): void {
    for (const { call, with: result = {} } of calls) {
      const pending = this.#pending.get(call);
      if (!pending) throw new Error(`no call "${call}" waits; there are: ${[...this.#pending.keys()].join(", ")}`);
      this.#pending.delete(call);
      pending.resolve(result);
    }
  }

  #store(name: string): KvStore {
    const call = async (what: string, details: Omit<Call, "call"> = {}): Promise<Result> => {
      const result = await this.#call(`${name} ${what}`, details);
      if (result.error) throw new Error(STORE_ERRORS[result.error] ?? result.error);
      return result;
    };
    return {
      get: async (key, { cacheTtl }) => bufferOf((await call(`get ${key}`, seconds("cacheTtl", cacheTtl))).value),
      getWithMetadata: async (key, { cacheTtl }) => {
        const result = await call(`get ${key}`, { metadata: true, ...seconds("cacheTtl", cacheTtl) });
        return { value: bufferOf(result.value), metadata: result.metadata ?? null };
      },
      put: async (key, value, { expiration, expirationTtl, metadata }) => {
        const when = { ...seconds("expiration", expiration), ...seconds("expirationTtl", expirationTtl) };
        await call(`put ${key}`, {
          value: textOf(new Uint8Array(value)),
          ...when,
          ...(metadata !== undefined && { metadata }),
        });
      },
      delete: async (key) => void (await call(`delete ${key}`)),
      list: async ({ prefix = "", limit = 1000, cursor }) => {
        const result = await call(`list ${prefix}`, { limit, ...(cursor !== undefined && { cursor }) });
        const keys = result.keys ?? [];
        const isLast = result.cursor === undefined;
        return isLast ? { keys, list_complete: true } : { keys, list_complete: false, cursor: result.cursor };
      },
    };
  }

  async #fetch(granted: string, url: string, init: RequestInit): Promise<Response> {
    const name = `${granted} ${init.method} ${url}`;
    const { bytes, broken } = await bytesOf(new Response(init.body).body);
    const headers = pairsOf(new Headers(init.headers));
    const body = broken ? { breaks: new TextDecoder().decode(bytes) } : textOf(bytes);
    const result = this.#call(name, { headers, ...(body !== "" && { body }) });
    const { call } = this.#reply.calls!.at(-1)!;
    const abort = (): void => void (this.#reply.aborted ??= []).push(call);
    // Its own body may have taken longer than anybody wanted to wait.
    if (init.signal?.aborted) abort();
    init.signal?.addEventListener("abort", abort);
    const { error, status = 200, headers: answered = [], body: content } = await result;
    init.signal?.removeEventListener("abort", abort);
    if (error) throw new TypeError(error);
    const stream = content === undefined ? null : streamOf(content, () => void (this.#reply.closed ??= []).push(call));
    return new Response(stream, { status, headers: answered });
  }
}

function reportOf({ token, ...report }: ErrorReport): Report {
  delete report.cause;
  return { ...report, ...(token && { token: [token.slot, token.generation] }) };
}

function seconds(name: string, value: number | undefined): Record<string, number> {
  return value === undefined ? {} : { [name]: value };
}

// Bytes, texts, headers.

/** In order of their names, as `Headers` iterates them: joined, but for set-cookie. */
function pairsOf(headers: Headers): Pairs {
  return [...headers];
}

function bytesIn(text: Text): Uint8Array<ArrayBuffer> {
  if (typeof text === "string") return new Uint8Array(new TextEncoder().encode(text));
  return new Uint8Array(Array.from(atob(text.base64), (unit) => unit.charCodeAt(0)));
}

function bufferOf(text: Text | null | undefined): ArrayBuffer | null {
  return text === undefined || text === null ? null : bytesIn(text).buffer;
}

function textOf(bytes: Uint8Array): Text {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { base64: btoa(String.fromCharCode(...bytes)) };
  }
}

/** A body that is read piece by piece, and tells if it is let go of before its end. */
function streamOf(body: BodyText, onCancel?: () => void): ReadableStream<Uint8Array> {
  const end = typeof body === "object" ? Object.keys(body)[0] : undefined;
  const text = typeof body === "object" ? Object.values(body)[0]! : body;
  const pieces = [bytesIn(end === "base64" ? { base64: text } : text)].filter(({ length }) => length > 0);
  return new ReadableStream(
    {
      pull(controller): Promise<void> | void {
        const piece = pieces.shift();
        if (piece) controller.enqueue(piece);
        else if (end === "breaks") controller.error(new Error("the transfer broke off"));
        else if (end === "stalls") return new Promise(() => {});
        else controller.close();
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  );
}

async function bytesOf(
  body: ReadableStream<Uint8Array> | null,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; broken?: true }> {
  const pieces: number[] = [];
  if (!body) return { bytes: new Uint8Array(0) };
  const reader = body.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read())
      for (const byte of read.value) pieces.push(byte);
    return { bytes: Uint8Array.from(pieces) };
  } catch {
    return { bytes: Uint8Array.from(pieces), broken: true };
  }
}
