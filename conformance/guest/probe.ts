// Probe: a guest without a guest library. Its requests say, in the header `x-probe`, what it does at the border on each
// of their turns, and it prints all that it sees there. conformance/README.md has the words that it understands.

import {
  ACCEPT_HEADERS,
  COMPLETION_AUXILIARY,
  COMPLETION_BYTES,
  COMPLETION_FLAGS,
  COMPLETION_PAYLOAD,
  COMPLETION_PAYLOAD_BYTES,
  COMPLETION_RESOURCE,
  COMPLETION_STATUS,
  COMPLETION_TOKEN_GENERATION,
  COMPLETION_TOKEN_SLOT,
  EventKind,
  MORE,
  Opcode,
  PAIRS_HEAD_BYTES,
  PAIR_LENGTHS_BYTES,
  RECLAIM,
  SUBMISSION_ARGUMENT_0,
  SUBMISSION_BYTES,
  SUBMISSION_DATA,
  SUBMISSION_DEADLINE_MS,
  SUBMISSION_FLAGS,
  SUBMISSION_META,
  SUBMISSION_NAME,
  SUBMISSION_OPCODE,
  SUBMISSION_RESERVED,
  SUBMISSION_RESOURCE,
  SUBMISSION_TOKEN_GENERATION,
  SUBMISSION_TOKEN_SLOT,
  Status,
} from "../../assembly/abi";
import { takeAborted } from "../../assembly/abort";
import { open, poll, submit } from "../../assembly/proactor_v1";
import * as border from "../../assembly/proactor_v1";
import { random_get } from "./support/wasi_snapshot_preview1";

const OPERATIONS: string[] = [
  "noop",
  "cancel",
  "close",
  "timer",
  "accept",
  "respond",
  "read",
  "fetch",
  "get",
  "put",
  "delete",
  "list",
  "report",
  "wait",
  "wake",
];

const CAPACITY: u32 = 256;
const ARENA_BYTES: u32 = 65_536;
const CONTENT_BYTES: u32 = 131_072;
/** Below it scripts choose slots themselves. */
const FIRST_OWN_SLOT: u32 = 1000;

const submissions = memory.data(16384, 8);
const completions = memory.data(8192, 8);
const arena = memory.data(65536, 8);
const contents = memory.data(131072, 8);

/** Records that were written and not handed over, and where their contents end. */
let written: u32 = 0;
let contentsEnd: u32 = 0;
let nextSlot: u32 = FIRST_OWN_SLOT;
let capacity: u32 = CAPACITY;
let arenaBytes: u32 = ARENA_BYTES;
let secondArenaBytes: u32 = ARENA_BYTES;

/** One request: what it still has to do, and what its script has names for. */
class Script {
  turns: string[];
  next: i32 = 0;
  isDue: bool = true;
  resources: Map<string, u32> = new Map();

  constructor(text: string, exchange: u32) {
    this.turns = text.split("|");
    this.resources.set("$x", exchange);
  }

  /** Does the next part, if there is one. */
  go(): void {
    this.isDue = false;
    if (this.next >= this.turns.length) return;
    const statements = this.turns[this.next++].split(";");
    for (let i = 0; i < statements.length; i++) {
      const words = wordsOf(statements[i]);
      if (words.length > 0) this.perform(words);
    }
    flush();
  }

  perform(words: string[]): void {
    const word = words[0];
    const operation = OPERATIONS.indexOf(word);
    if (operation >= 0) this.write(operation, words, 1);
    else if (word == "op") this.write(<u32>numberOf(words[1]), words, 2);
    else if (word == "open") this.open(words[1]);
    else if (word == "flush") flush();
    else if (word == "print") console.log(words.slice(1).join(" "));
    else if (word == "poll") pollOnce(<u32>numberOf(words[1]), <u32>numberOf(words[2]));
    else if (word == "capacity") capacity = <u32>numberOf(words[1]);
    else if (word == "arena") {
      arenaBytes = <u32>numberOf(words[1]);
      secondArenaBytes = words.length > 2 ? <u32>numberOf(words[2]) : ARENA_BYTES;
    } else if (word == "raw-submit") {
      console.log(`submit -> ${submit(<usize>numberOf(words[1]), <u32>numberOf(words[2]))}`);
    } else if (word == "raw-poll") {
      const n = poll(
        <usize>numberOf(words[1]),
        <u32>numberOf(words[2]),
        <usize>numberOf(words[3]),
        <u32>numberOf(words[4]),
      );
      console.log(`poll -> ${n}`);
    } else if (word == "raw-open") {
      console.log(`open -> ${open(<usize>numberOf(words[1]), <u32>numberOf(words[2]))}`);
    } else if (word == "raw-abort") {
      const n: u32[] = [];
      for (let i = 1; i <= 6; i++) n.push(<u32>numberOf(words[i]));
      border.abort(n[0], n[1], n[2], n[3], n[4], n[5]);
    } else if (word == "grow") {
      console.log(`grow -> ${memory.grow(<i32>numberOf(words[1]))}`);
    } else if (word == "random") {
      const bytes = <u32>numberOf(words[1]);
      console.log(`random -> ${random_get(contents, bytes)} ${escaped(contents, min(bytes, 16))}`);
    } else if (word == "clock") console.log(`clock -> ${Date.now()}`);
    else if (word == "trap") unreachable();
    else if (word == "abort") throw new Error(words.slice(1).join(" "));
    else throw new Error("probe: no such statement: " + word);
  }

  open(name: string): void {
    const bytes = String.UTF8.encode(name);
    const resource = open(changetype<usize>(bytes), bytes.byteLength);
    console.log(`open ${name} -> ${resource}`);
    this.resources.set("$" + name, max(0, resource));
  }

  write(opcode: u32, words: string[], from: i32): void {
    const at = submissions + <usize>written * SUBMISSION_BYTES;
    written++;
    memory.fill(at, 0, SUBMISSION_BYTES);
    store<u16>(at + SUBMISSION_OPCODE, <u16>opcode);
    store<u32>(at + SUBMISSION_TOKEN_GENERATION, 1);
    let slot: u32 = 0;
    for (let i = from; i < words.length; i++) {
      const equals = words[i].indexOf("=");
      const field = words[i].substring(0, equals);
      const value = words[i].substring(equals + 1);
      if (field == "slot") slot = <u32>numberOf(value);
      else if (field == "gen") store<u32>(at + SUBMISSION_TOKEN_GENERATION, <u32>numberOf(value));
      else if (field == "flags") store<u16>(at + SUBMISSION_FLAGS, <u16>numberOf(value));
      else if (field == "resource") store<u32>(at + SUBMISSION_RESOURCE, this.valueOf(value));
      else if (field == "deadline") store<u32>(at + SUBMISSION_DEADLINE_MS, <u32>numberOf(value));
      else if (field == "name") place(at + SUBMISSION_NAME, value);
      else if (field == "data") place(at + SUBMISSION_DATA, value);
      else if (field == "meta") place(at + SUBMISSION_META, value);
      else if (field == "reserved") store<u32>(at + SUBMISSION_RESERVED, <u32>numberOf(value));
      else if (field.length == 2 && field.charAt(0) == "a")
        store<u32>(at + SUBMISSION_ARGUMENT_0 + 4 * <usize>numberOf(field.charAt(1)), this.valueOf(value));
      else throw new Error("probe: no such field: " + field);
    }
    if (slot == 0) slot = nextSlot++;
    store<u32>(at + SUBMISSION_TOKEN_SLOT, slot);
    owners.set(tokenOf(slot, load<u32>(at + SUBMISSION_TOKEN_GENERATION)), this);
  }

  /** A number, or the resource that has this name. */
  valueOf(text: string): u32 {
    if (text.charAt(0) != "$") return <u32>numberOf(text);
    return this.resources.has(text) ? this.resources.get(text) : 0;
  }
}

const scripts: Script[] = [];
const owners = new Map<u64, Script>();

function tokenOf(slot: u32, generation: u32): u64 {
  return ((<u64>generation) << 32) | slot;
}

/** The words between blanks; `%xx` within one stands for any character. */
function wordsOf(statement: string): string[] {
  const words: string[] = [];
  const parts = statement.split(" ");
  for (let i = 0; i < parts.length; i++) if (parts[i].length > 0) words.push(decodeURIComponent(parts[i]));
  return words;
}

function numberOf(text: string): i64 {
  const negative = text.charAt(0) == "-";
  const digits = negative ? text.substring(1) : text;
  const value = digits.startsWith("0x") ? I64.parseInt(digits.substring(2), 16) : I64.parseInt(digits, 10);
  return negative ? -value : value;
}

// Contents.

/** Writes a pointer and a length: of a range as it is, or of what is put into memory for it. */
function place(field: usize, value: string): void {
  if (value.startsWith("at:")) {
    const parts = value.split(":");
    store<u32>(field, <u32>numberOf(parts[1]));
    store<u32>(field + 4, <u32>numberOf(parts[2]));
    return;
  }
  const at = contents + contentsEnd;
  let bytes: u32 = 0;
  if (value.startsWith("hex:")) {
    for (let i = 4; i < value.length; i += 2) store<u8>(at + bytes++, <u8>I64.parseInt(value.substring(i, i + 2), 16));
  } else if (value.startsWith("zeros:")) {
    bytes = <u32>numberOf(value.substring(6));
    memory.fill(at, 0, bytes);
  } else if (value.startsWith("pairs:")) bytes = placePairs(at, value.substring(6).split(","));
  else bytes = placeText(at, value);
  assert(contentsEnd + bytes <= CONTENT_BYTES, "probe: too many bytes of contents");
  contentsEnd += bytes;
  store<u32>(field, <u32>at);
  store<u32>(field + 4, bytes);
}

function placeText(at: usize, text: string): u32 {
  return <u32>String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at);
}

function placePairs(at: usize, texts: string[]): u32 {
  const count = texts.length / 2;
  store<u32>(at, count);
  let end = at + PAIRS_HEAD_BYTES + <usize>count * PAIR_LENGTHS_BYTES;
  for (let i = 0; i < count * 2; i++) {
    const bytes = placeText(end, texts[i]);
    store<u32>(at + PAIRS_HEAD_BYTES + 4 * <usize>i, bytes);
    end += bytes;
  }
  return <u32>(end - at);
}

const HEX = "0123456789abcdef";

/** ASCII as it is, every other byte as `\xx`. */
function escaped(at: usize, bytes: u32): string {
  let text = "";
  for (let i: u32 = 0; i < bytes; i++) {
    const byte = load<u8>(at + i);
    if (byte >= 0x20 && byte < 0x7f && byte != 0x5c) text += String.fromCharCode(byte);
    else text += "\\" + HEX.charAt(byte >> 4) + HEX.charAt(byte & 15);
  }
  return text;
}

// The border.

function flush(): void {
  let from: u32 = 0;
  while (from < written) {
    const count = written - from;
    const admitted = submit(submissions + <usize>from * SUBMISSION_BYTES, count);
    console.log(`submit ${count} -> ${admitted}`);
    if (admitted < 0) break;
    // What was refused is skipped; what lies behind it may be admitted.
    from += admitted + 1;
  }
  written = 0;
  contentsEnd = 0;
}

function pollOnce(records: u32, bytes: u32): i32 {
  const count = poll(completions, records, arena, bytes);
  console.log(`poll ${records} ${bytes} -> ${count}`);
  if (count == Status.TooBig) console.log(`  needs ${load<u32>(completions + COMPLETION_PAYLOAD_BYTES)}`);
  for (let i = 0; i < count; i++) take(completions + <usize>i * COMPLETION_BYTES);
  return count;
}

function take(at: usize): void {
  const slot = load<u32>(at + COMPLETION_TOKEN_SLOT);
  const generation = load<u32>(at + COMPLETION_TOKEN_GENERATION);
  const status = load<i32>(at + COMPLETION_STATUS);
  const flags = load<u32>(at + COMPLETION_FLAGS);
  const resource = load<u32>(at + COMPLETION_RESOURCE);
  const payload = load<u32>(at + COMPLETION_PAYLOAD);
  const bytes = load<u32>(at + COMPLETION_PAYLOAD_BYTES);
  const auxiliary = load<u32>(at + COMPLETION_AUXILIARY);
  let line = `  ${slot}:${generation} status=${status}`;
  if (flags) line += ` flags=${flags}`;
  if (resource) line += ` resource=${resource}`;
  if (auxiliary) line += ` auxiliary=${auxiliary}`;
  if (payload & 7 && bytes) line += " misaligned";
  const token = tokenOf(slot, generation);
  const isRequest = (flags & MORE) != 0 && token == ACCEPT;
  // What a failure says is for people.
  if (bytes && status >= 0 && !isRequest) line += ` payload=${escaped(payload, bytes)}`;
  console.log(line);
  if (isRequest) scripts.push(new Script(readHead(payload), resource));
  else if (owners.has(token)) {
    const owner = owners.get(token);
    if (resource) owner.resources.set(`$${slot}`, resource);
    owner.isDue = !(flags & RECLAIM);
    if (!(flags & MORE)) owners.delete(token);
  }
}

/** Prints a request's head. Returns the header `x-probe`. */
function readHead(pairs: u32): string {
  const count = load<u32>(pairs);
  let at = pairs + PAIRS_HEAD_BYTES + count * PAIR_LENGTHS_BYTES;
  let probe = "";
  for (let i: u32 = 0; i < count; i++) {
    const lengths = pairs + PAIRS_HEAD_BYTES + i * PAIR_LENGTHS_BYTES;
    const name = String.UTF8.decodeUnsafe(at, load<u32>(lengths));
    at += load<u32>(lengths);
    const value = String.UTF8.decodeUnsafe(at, load<u32>(lengths + 4));
    at += load<u32>(lengths + 4);
    if (name == "x-probe") probe = value;
    else console.log(`    ${name} ${value}`);
  }
  return probe;
}

const ACCEPT: u64 = tokenOf(1, 1);

store<u32>(submissions + SUBMISSION_TOKEN_SLOT, 1);
store<u32>(submissions + SUBMISSION_TOKEN_GENERATION, 1);
store<u16>(submissions + SUBMISSION_OPCODE, <u16>Opcode.Accept);
store<u16>(submissions + SUBMISSION_FLAGS, <u16>ACCEPT_HEADERS);
store<u32>(submissions + SUBMISSION_ARGUMENT_0, EventKind.Fetch);
written = 1;
flush();

export function run(budget: i32): i32 {
  console.log(`run ${budget}`);
  if (takeAborted()) console.log("the last turn was aborted");
  // What a turn that trapped left behind.
  written = 0;
  contentsEnd = 0;
  let taken = pollOnce(min(<u32>budget, capacity), arenaBytes);
  if (taken == Status.TooBig) taken = pollOnce(min(<u32>budget, capacity), secondArenaBytes);
  for (let i = 0; i < scripts.length; i++) if (scripts[i].isDue) scripts[i].go();
  return max(0, taken);
}
