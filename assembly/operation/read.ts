// Read: brings the whole body of a request or a response into the guest.

import { Opcode } from "../abi";
import { readBytes, readText } from "../arena";
import { Completion } from "../completion-queue";
import { Operation, PLAIN } from "../operation";
import { isUtf8 } from "../utf8";

/** The bytes of a body; none if the read failed. */
@unmanaged
export class Content extends Completion {
  // As of a Uint8Array. The payload of a failure is the host's message, which is not meant for clients.

  get dataStart(): usize {
    return this.payload;
  }

  get byteLength(): u32 {
    return this.failed ? 0 : this.payload_bytes;
  }

  text(): string {
    return readText(this.dataStart, this.byteLength);
  }

  /** Whether the bytes are UTF-8. In what is not, `text()` has U+FFFD for each byte that belongs to no character. */
  get isText(): bool {
    return !this.failed && isUtf8(this.dataStart, this.dataStart + this.byteLength);
  }

  bytes(): ArrayBuffer {
    return readBytes(this.dataStart, this.byteLength);
  }
}

export class Read extends Operation<Content> {
  constructor(resource: u32, bytesMax: u32) {
    super(Opcode.Read | PLAIN, resource);
    this.argument_0 = bytesMax;
  }
}

/**
 * Reads the whole body of the exchange or response `resource`, once. `bytesMax` in bytes, 0 for the host's limit;
 * completes with TooBig above it, with Closed if the body was read, sent or forwarded before.
 */
export function read(resource: u32, bytesMax: u32 = 0): Read {
  return new Read(resource, bytesMax);
}
