// KV: reads, writes, removes and lists the keys of a granted namespace.

import { KV_METADATA, Opcode } from "../abi";
import { unitsAt } from "../address";
import { readBytes, readText } from "../arena";
import { Completion } from "../completion-queue";
import { OPERATION_CONTENT, Operation, newOperation } from "../operation";
import { Pairs } from "../pairs";
import { openResource } from "../resource";
import { Submission } from "../submission-queue";

const SPACE: u8 = 0x20;
const DIGIT_0: u8 = 0x30;

/** What a get found. */
@unmanaged
export class KvValue extends Completion {
  get found(): bool {
    return !this.failed;
  }

  // With `withMetadata` the payload is metadata, then value, and the auxiliary word the former's length. A failure has no
  // value, only a message.

  get dataStart(): usize {
    return this.payload + this.auxiliary;
  }

  get byteLength(): u32 {
    return this.failed ? 0 : this.payload_bytes - this.auxiliary;
  }

  text(): string {
    return readText(this.dataStart, this.byteLength);
  }

  bytes(): ArrayBuffer {
    return readBytes(this.dataStart, this.byteLength);
  }

  /** The metadata as JSON, or an empty text: there is none, or `withMetadata` was not asked for. */
  metadata(): string {
    return this.failed ? "" : readText(this.payload, this.auxiliary);
  }
}

/** One page of keys, in the order of their UTF-8 bytes. */
@unmanaged
export class KvKeys extends Completion {
  private get entries(): Pairs {
    return changetype<Pairs>(this.payload);
  }

  get count(): u32 {
    return this.failed ? 0 : this.entries.count;
  }

  key(index: u32): string {
    return this.entries.name(index);
  }

  // An entry's value is its expiration in decimal digits, a space, and its metadata.

  /** Seconds since 1970 at which the key ends, or 0. */
  expiration(index: u32): u32 {
    let seconds: u32 = 0;
    for (let at = this.entries.valueAt(index); load<u8>(at) != SPACE; at++)
      seconds = seconds * 10 + load<u8>(at) - DIGIT_0;
    return seconds;
  }

  /** The key's metadata as JSON, or an empty text. */
  metadata(index: u32): string {
    let at = this.entries.valueAt(index);
    const end = at + this.entries.valueBytes(index);
    while (load<u8>(at++) != SPACE);
    return readText(at, <u32>(end - at));
  }

  /** Where the next page begins, or an empty text after the last one. */
  cursor(): string {
    if (this.failed) return "";
    const end = this.entries.nameAt(this.entries.count);
    return readText(end, <u32>(this.payload + this.payload_bytes - end));
  }
}

/** Of all of these a key, or a prefix, is the first field. */
function keyOf(operation: usize): usize {
  return load<usize>(operation, OPERATION_CONTENT);
}

export class KvGet extends Operation<KvValue> {
  key!: string;

  /** How long the edge may serve this value from its cache: seconds, at least 30. */
  cacheTtl(seconds: u32): this {
    this.argument_0 = seconds;
    return this;
  }

  withMetadata(): this {
    this.opcode_flags |= KV_METADATA << 16;
    return this;
  }

  encode(submission: Submission): void {
    submission.putName(keyOf(changetype<usize>(this)));
  }
}

export class KvPut extends Operation<Completion> {
  key!: string;
  value!: ArrayBuffer;
  private json: string | null;

  /** When the key ends: seconds since 1970, at least 60 ahead. */
  expiration(seconds: u32): this {
    this.argument_0 = seconds;
    return this;
  }

  /** How long the key lives: seconds, at least 60. */
  expirationTtl(seconds: u32): this {
    this.argument_1 = seconds;
    return this;
  }

  /** JSON to keep beside the value: at most 1,024 bytes. */
  metadata(json: string): this {
    this.json = json;
    return this;
  }

  encode(submission: Submission): void {
    const put = changetype<usize>(this);
    submission.putName(keyOf(put));
    submission.putData(load<usize>(put, offsetof<KvPut>("value")));
    submission.putMetaText(load<usize>(put, offsetof<KvPut>("json")));
  }
}

export class KvDelete extends Operation<Completion> {
  key!: string;

  encode(submission: Submission): void {
    submission.putName(keyOf(changetype<usize>(this)));
  }
}

export class KvList extends Operation<KvKeys> {
  prefix!: string;
  private after: string | null;

  /** Keys on one page: 1 to 1,000, which is what it is without this. */
  page(count: u32): this {
    this.argument_0 = count;
    return this;
  }

  /** Continues where the page that gave this cursor ended. */
  cursor(text: string): this {
    this.after = text;
    return this;
  }

  encode(submission: Submission): void {
    const list = changetype<usize>(this);
    const prefix = keyOf(list);
    if (unitsAt(prefix)) submission.putName(prefix);
    submission.putDataText(load<usize>(list, offsetof<KvList>("after")));
  }
}

/** A key-value namespace that the host granted. Its number in the clothes of an object: nothing is allocated. */
@final
@unmanaged
export class Kv {
  constructor(resource: u32) {
    return changetype<Kv>(<usize>resource);
  }

  get resource(): u32 {
    return <u32>changetype<usize>(this);
  }

  /** Reads a value. A key that is not there completes with NotFound: `found` is false. */
  get(key: string): KvGet {
    if (offsetof<KvGet>("key") != OPERATION_CONTENT) ERROR("key is not the first field");
    return changetype<KvGet>(
      newOperation(offsetof<KvGet>(), idof<KvGet>(), Opcode.KvGet, this.resource, changetype<usize>(key)),
    );
  }

  /** Writes a value, at most 25 MiB. Keys are 1 to 512 bytes of UTF-8. */
  put(key: string, value: ArrayBuffer): KvPut {
    if (offsetof<KvPut>("key") != OPERATION_CONTENT) ERROR("key is not the first field");
    const put = newOperation(offsetof<KvPut>(), idof<KvPut>(), Opcode.KvPut, this.resource, changetype<usize>(key));
    store<usize>(put, changetype<usize>(value), offsetof<KvPut>("value"));
    return changetype<KvPut>(put);
  }

  putText(key: string, value: string): KvPut {
    return this.put(key, String.UTF8.encode(value));
  }

  /** Removes a key; completes with Ok whether or not it was there. Named so because `delete` is a keyword. */
  remove(key: string): KvDelete {
    if (offsetof<KvDelete>("key") != OPERATION_CONTENT) ERROR("key is not the first field");
    return changetype<KvDelete>(
      newOperation(offsetof<KvDelete>(), idof<KvDelete>(), Opcode.KvDelete, this.resource, changetype<usize>(key)),
    );
  }

  list(prefix: string = ""): KvList {
    if (offsetof<KvList>("prefix") != OPERATION_CONTENT) ERROR("prefix is not the first field");
    return changetype<KvList>(
      newOperation(offsetof<KvList>(), idof<KvList>(), Opcode.KvList, this.resource, changetype<usize>(prefix)),
    );
  }
}

/** The namespace granted as `name`. If there is none, every operation on it completes with BadResource. */
export function kv(name: string): Kv {
  return new Kv(openResource(name));
}
