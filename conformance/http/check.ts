// Check: one promise of the routes, as a sentence and a function that throws when it is broken.
//
// A check speaks to its host by `send` alone, which in Node goes over HTTP and in a page straight to the proactor. It waits
// for events, such as that the upstream has seen an abort, and never looks at how long anything took.

import { Difference, differences } from "./expect.ts";

export type Send = (path: string, init?: RequestInit) => Promise<Response>;

/** What the upstream has seen since it was last reset. */
export interface Stats {
  requests: number;
  /** Requests that have not ended, and how many at most. */
  active: number;
  peak: number;
  /** Requests whose caller went away before their end. */
  aborted: number;
}

/** The host under test, and the upstream behind it. */
export interface Subject {
  /** Sends a request; a redirect is an answer. */
  readonly send: Send;
  readonly stats: () => Promise<Stats>;
  readonly resetStats: () => Promise<void>;
  /** Where the host listens. */
  readonly address?: { readonly hostname: string; readonly port: number };
  /** Starts another server of this host, with other arguments. */
  readonly start?: StartServer;
  /** Part of every key that the checks write: a store may remember earlier runs. */
  readonly run: string;
}

export interface ServerOptions {
  /** What stands in place of `{module}`. */
  module?: string;
  /** Put behind the command. */
  argument?: string;
}

export type StartServer = (options?: ServerOptions) => Server;

/** A server in a process of its own. */
export interface Server {
  /** The URL that it says it listens at. Rejects if it ends before. */
  readonly url: Promise<string>;
  /** How it ended, by itself or by a signal. */
  readonly ended: Promise<{ code: number | null; signal: string | null; stderr: string }>;
  /** The process group of all that the command has started. */
  readonly group: number;
  signal(name: "SIGTERM" | "SIGKILL"): void;
}

/** What a check must have: a connection of its own, or a server that it may end. */
export type Need = "address" | "start";

export interface Check {
  readonly name: string;
  readonly need?: Need;
  readonly run: (subject: Subject) => Promise<void>;
}

/** How the checks of one file are declared. */
export class Checks {
  readonly all: Check[] = [];

  readonly check = (name: string, run: Check["run"], need?: Need): void => {
    this.all.push({ name, run, ...(need && { need }) });
  };
}

/** Milliseconds between two looks, and after which nothing is believed to come any more. */
const LOOK_MS = 20;
const PATIENCE_MS = 25_000;

/** Asks until the answer is as expected. Throws the last difference if it never is. */
export async function eventually(what: string, ask: () => Promise<unknown>, expected: unknown): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const lines = differences(await ask(), expected, what);
    if (lines.length === 0) return;
    if (Date.now() > end) throw new Difference(lines.join("\n"));
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** The promise, or a Difference if nothing comes of it. */
export async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Difference(`${what}: nothing came in ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
