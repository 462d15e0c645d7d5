// Read body: the bytes of a body, in as few calls of the platform as it lets us.

import { Status } from "../assembly/abi.ts";
import { Failure, messageOf } from "./failure.ts";
import { concatenate } from "./memory.ts";

// Bytes that one read brings, where it brings as many as there is room for: each read costs the platform much. No room is
// made for more than the larger number at once, whatever a body says of its length.
const READ_BYTES_MIN = 16 * 1024;
const READ_BYTES_MAX = 2 * 1024 * 1024;

interface Reader {
  /** `bytes` bytes, or whatever comes. */
  next(bytes: number): Promise<ReadableStreamReadResult<Uint8Array>>;
  cancel(reason?: unknown): Promise<void>;
}

/** How many bytes a body has by its headers, names and values in turn; 0 if they do not say, or may not be believed. */
export function statedBytes(headers: readonly string[]): number {
  let bytes = 0;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!;
    if (name === "content-length") bytes = Math.max(Number(headers[at + 1]) || 0, 0);
    if (name === "content-encoding" || name === "transfer-encoding") return 0;
  }
  return bytes;
}

/**
 * Reads a body to its end. Throws TooBig, and lets go of the rest, as soon as it has more than `bytesMax` bytes. `expected`
 * is how many it says it has, or 0.
 */
export async function readBody(
  body: ReadableStream<Uint8Array> | null,
  bytesMax: number,
  signal: AbortSignal,
  expected: number,
): Promise<Uint8Array> {
  if (!body) return new Uint8Array(0);
  const reader = readerOf(body);
  const letGo = (): void => void reader.cancel(signal.reason).catch(() => {});
  // A fetch that ignored its abort comes here with a body that nobody wants any more, and that may never end.
  if (signal.aborted) letGo();
  signal.addEventListener("abort", letGo, { once: true });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // With room for one byte more than there are, the first read finds the end.
  for (let room = expected > 0 ? expected + 1 : READ_BYTES_MIN; ; room *= 2) {
    const { done, value } = await reader.next(Math.min(room, READ_BYTES_MAX)).catch(brokeOff);
    // A stream that a program made may bring anything. Bytes of another realm, such as a test runner's, are bytes too.
    if (value && value[Symbol.toStringTag] !== "Uint8Array") {
      letGo();
      throw new Failure(Status.Failed, "the body is not bytes");
    }
    if (value?.length) {
      chunks.push(value);
      bytes += value.length;
    }
    if (bytes > bytesMax) {
      letGo();
      throw tooBig(bytesMax);
    }
    if (done) return chunks.length === 1 ? chunks[0]! : concatenate(chunks);
  }
}

/**
 * The same by one call of the platform instead of five. For a body of which the platform knows how long it is, and that it
 * ends when its fetch is aborted.
 */
export async function readWhole(response: Response, bytesMax: number): Promise<Uint8Array> {
  const bytes = await response.arrayBuffer().catch(brokeOff);
  if (bytes.byteLength > bytesMax) throw tooBig(bytesMax);
  return new Uint8Array(bytes);
}

/** What Workers have beside the standard, and their types know. */
interface ByobReader extends Pick<ReadableStreamBYOBReader, "cancel" | "releaseLock"> {
  readAtLeast?(bytes: number, view: Uint8Array<ArrayBuffer>): Promise<ReadableStreamReadResult<Uint8Array>>;
}

/** One that fills a buffer at a time, if the platform has it for this body; else one that brings what comes. */
function readerOf(body: ReadableStream<Uint8Array>): Reader {
  const reader = byobReaderOf(body);
  if (!reader?.readAtLeast) {
    reader?.releaseLock();
    const reads = body.getReader();
    return { next: () => reads.read(), cancel: (reason) => reads.cancel(reason) };
  }
  return {
    async next(bytes) {
      const { done, value } = await reader.readAtLeast!(bytes, new Uint8Array(bytes));
      // Less than was asked for is all that there was.
      return { done: done || value.length < bytes, value } as ReadableStreamReadResult<Uint8Array>;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

function byobReaderOf(body: ReadableStream<Uint8Array>): ByobReader | undefined {
  try {
    return body.getReader({ mode: "byob" }) as ByobReader;
  } catch {
    return undefined; // A stream that a program made may have no such reader.
  }
}

function tooBig(bytesMax: number): Failure {
  return new Failure(Status.TooBig, `the body has more than ${bytesMax} bytes`);
}

function brokeOff(error: unknown): never {
  throw new Failure(Status.Aborted, `the body broke off: ${messageOf(error)}`);
}
