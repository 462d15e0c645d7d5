// JSON: what a test guest reports, written from left to right.

import { Completion, Pairs } from "../../../assembly/index";

const DIGITS = "0123456789abcdef";

export class Json {
  private written: string = "";

  private name(name: string): void {
    this.written += (this.written.length ? "," : "") + quote(name) + ":";
  }

  number(name: string, value: f64): this {
    this.name(name);
    this.written += value == Math.trunc(value) ? `${<i64>value}` : `${value}`;
    return this;
  }

  bool(name: string, value: bool): this {
    this.name(name);
    this.written += value ? "true" : "false";
    return this;
  }

  text(name: string, value: string | null): this {
    this.name(name);
    this.written += value === null ? "null" : quote(value);
    return this;
  }

  /** Numbers, given as text that separates them by commas. */
  list(name: string, values: string): this {
    this.name(name);
    this.written += "[" + values + "]";
    return this;
  }

  /** An array of [name, value], from the pair at `start` on. */
  pairs(name: string, pairs: Pairs, start: u32 = 0): this {
    this.name(name);
    this.written += "[";
    for (let i = start; i < pairs.count; i++) {
      if (i > start) this.written += ",";
      this.written += "[" + quote(pairs.name(i)) + "," + quote(pairs.value(i)) + "]";
    }
    this.written += "]";
    return this;
  }

  /** The status of a completion and, if it failed, the host's message. */
  completion(completion: Completion): this {
    this.number("status", completion.status);
    if (completion.failed) this.text("message", completion.message());
    return this;
  }

  toString(): string {
    return "{" + this.written + "}";
  }
}

function quote(text: string): string {
  let quoted = '"';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit == 0x22 || unit == 0x5c) quoted += "\\" + text.charAt(i);
    else if (unit < 0x20) quoted += "\\u00" + DIGITS.charAt(unit >> 4) + DIGITS.charAt(unit & 15);
    else quoted += text.charAt(i);
  }
  return quoted + '"';
}
