// Query: how a test tells its guest what to do.

import { Exchange } from "../../../assembly/index";

export function numberOf(exchange: Exchange, name: string, otherwise: u32 = 0): u32 {
  const text = exchange.parameter(name);
  return text === null ? otherwise : <u32>U64.parseInt(text);
}

export function textOf(exchange: Exchange, name: string): string {
  const text = exchange.parameter(name);
  return text === null ? "" : text;
}

export function has(exchange: Exchange, name: string): bool {
  return exchange.parameter(name) !== null;
}
