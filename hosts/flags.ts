// Flags: what is served, where, and what it may reach. The same in every host, whatever its language.

import { parseArgs } from "node:util";
import type { Isolation, KvRight } from "wasm-proactor";

export const USAGE = `serve app.wasm [--host 127.0.0.1] [--port 8787] [--isolation pooled]
      [--kv NAME[:rights][=path]]… [--origin NAME=url[,url…]]…

  --host       where to listen
  --port       0 takes a free one
  --isolation  request, pooled or shared: how far a trap reaches
  --kv         grants a KV namespace: in memory, or in the file "path"; rights are read,write,list or some of them
  --origin     grants HTTP origins
`;

const ISOLATIONS: readonly Isolation[] = ["request", "pooled", "shared"];
const PORT_MAX = 65_535;

/** Something that whoever has called can put right: said in a sentence, with exit code 2. */
export class BadUse extends Error {}

export interface KvFlag {
  readonly rights?: readonly KvRight[];
  /** In memory without it. */
  readonly path?: string;
}

export interface Flags {
  /** The module's file. */
  readonly module: string;
  readonly hostname: string;
  readonly port: number;
  readonly isolation: Isolation;
  readonly kv: Readonly<Record<string, KvFlag>>;
  readonly origins: Readonly<Record<string, readonly string[]>>;
}

/** Throws a BadUse. Whether rights and origins exist is for `kv()` and `origin()` to say. */
export function parseFlags(args: readonly string[]): Flags {
  const { values, positionals } = parsed(args);
  const [module, ...rest] = positionals;
  if (!module || rest.length > 0) throw new BadUse(`give one module, as in: serve app.wasm`);
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > PORT_MAX)
    throw new BadUse(`--port takes 0 to ${PORT_MAX}, not ${values.port}`);
  const isolation = ISOLATIONS.find((name) => name === values.isolation);
  if (!isolation) throw new BadUse(`--isolation takes ${ISOLATIONS.join(", ")}, not ${values.isolation}`);
  const kv = values.kv.map(kvOf);
  const origins = values.origin.map(originOf);
  const names = [...kv, ...origins].map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice) throw new BadUse(`${twice} is granted twice`);
  return {
    module,
    hostname: values.host,
    port,
    isolation,
    kv: Object.fromEntries(kv),
    origins: Object.fromEntries(origins),
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        host: { type: "string", default: "127.0.0.1" },
        port: { type: "string", default: "8787" },
        isolation: { type: "string", default: "pooled" },
        kv: { type: "string", multiple: true, default: [] },
        origin: { type: "string", multiple: true, default: [] },
      },
    });
  } catch (error) {
    // Its first sentence says what is wrong, the others what else a dash may mean.
    throw new BadUse((error as Error).message.split(". ")[0], { cause: error });
  }
}

function kvOf(text: string): [name: string, flag: KvFlag] {
  const [, name, rights, path] = /^([^:=]+)(?::([^=]*))?(?:=(.+))?$/s.exec(text) ?? [];
  if (!name) throw new BadUse(`--kv takes NAME, NAME=file or NAME:read,list=file, not "${text}"`);
  return [name, { ...(rights !== undefined && { rights: rights.split(",") as KvRight[] }), ...(path && { path }) }];
}

function originOf(text: string): [name: string, urls: string[]] {
  const [, name, urls] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (!name || !urls) throw new BadUse(`--origin takes NAME=https://api.example.com, not "${text}"`);
  return [name, urls.split(",")];
}
