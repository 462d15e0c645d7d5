// Number: whole numbers in paths and queries.

import { Exchange } from "../../assembly/index";

const DIGIT_0 = 0x30;

/** What `text` says in decimal digits, or −1 if it is no whole number from `min` to `max`. */
export function wholeNumber(text: string, min: i32, max: i32): i32 {
  let value: i64 = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - DIGIT_0;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
    if (value > max) return -1;
  }
  return text.length > 0 && value >= min ? <i32>value : -1;
}

/** A parameter of the query as a whole number: `otherwise` if it is not given, −1 if it is anything else. */
export function numberParameter(exchange: Exchange, name: string, otherwise: i32, min: i32, max: i32): i32 {
  const text = exchange.parameter(name);
  return text === null ? otherwise : wholeNumber(text, min, max);
}
