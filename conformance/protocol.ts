// Protocol: what a runner tells a driver, and what the driver replies. README.md explains each word.

export type Text = string | { base64: string };

/** A body may break off after its first bytes, or give no more and never end. */
export type BodyText = Text | { breaks: string } | { stalls: string };

export type Pairs = [name: string, value: string][];

export interface Start {
  do: "start";
  /** Path of the module; in a case, relative to the repository. */
  module: string;
  isolation?: "request" | "pooled" | "shared";
  limits?: Record<string, number>;
  resources?: Record<string, { kv: string[] } | { origins: string[] }>;
}

export interface Arrival {
  do: "request";
  id: string;
  method?: string;
  url: string;
  headers?: Pairs;
  body?: BodyText;
}

/** How a call of the host's returns. */
export interface Result {
  error?: string;
  value?: Text | null;
  metadata?: unknown;
  keys?: { name: string; expiration?: number; metadata?: unknown }[];
  cursor?: string;
  status?: number;
  headers?: Pairs;
  body?: BodyText;
}

export type Command =
  | { do: "hello" }
  | Start
  | Arrival
  | { do: "complete"; calls: { call: string; with?: Result }[] }
  | { do: "advance"; ms: number }
  | { do: "abandon"; id: string }
  | { do: "shutdown"; mode: "graceful" | "now" }
  | { do: "counters" };

export interface Call {
  call: string;
  cacheTtl?: number;
  metadata?: unknown;
  value?: Text;
  expiration?: number;
  expirationTtl?: number;
  limit?: number;
  cursor?: string;
  headers?: Pairs;
  body?: BodyText;
}

export interface Answer {
  id: string;
  status: number;
  headers?: Pairs;
  body?: Text;
  broken?: true;
}

export interface Report {
  kind: string;
  operation?: string;
  token?: [slot: number, generation: number];
  status?: number;
  message?: string;
  file?: string;
  line?: number;
  column?: number;
  request?: string;
}

export interface Reply {
  host?: string;
  engine?: string;
  refused?: true;
  /** The command could not be carried out. */
  error?: string;
  console?: string[];
  calls?: Call[];
  aborted?: string[];
  closed?: string[];
  answers?: Answer[];
  reports?: Report[];
  counters?: Record<string, number>;
  shutDown?: true;
}

export interface Step {
  do: Command;
  /** Nothing, if nothing is to be seen. */
  expect?: Reply;
}

export interface Case {
  title: string;
  steps: Step[];
}
