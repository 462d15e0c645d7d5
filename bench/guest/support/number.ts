import { Exchange } from "../../../assembly/index";

/** A number from the query; 0 without one. */
export function numberOf(exchange: Exchange, name: string): u32 {
  const text = exchange.parameter(name);
  return text ? U32.parseInt(text) : 0;
}
