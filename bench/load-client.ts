// The load's process. Nothing is between its sockets and its clock but the least of HTTP/1.1 that tells where an answer
// ends: a client that does more takes the time of the server that it shares the machine with.

import { connect } from "node:net";
import type { Socket } from "node:net";
import process from "node:process";
import type { Answered, Asked, Question } from "./load.ts";

/** Bytes that a connection reads at once. */
const READ_BYTES = 65_536;
const HEAD_CHARS_MAX = 16_384;
const CHUNK_LINE_CHARS_MAX = 64;

/** Finds the end of one answer after another. */
class AnswerReader {
  readonly #lengths: Set<number>;
  /** A head, or a chunk's first line, that has not come to its end. */
  #text = "";
  /** undefined: in the head. */
  #body: "plain" | "chunked" | "last chunk" | undefined;
  /** Bytes until the body, or its chunk, ends. */
  #left = 0;
  #bytes = 0;

  /** Adds the length of each body to `lengths`. */
  constructor(lengths: Set<number>) {
    this.#lengths = lengths;
  }

  /** Takes what has come; whether the answer is whole. */
  take(bytes: Buffer): boolean {
    let at = 0;
    for (;;) {
      const skipped = Math.min(this.#left, bytes.length - at);
      at += skipped;
      this.#left -= skipped;
      if (this.#left > 0) return false;
      if (this.#body === "plain" || this.#body === "last chunk") return this.#end(at === bytes.length);
      // A head, or the line before a chunk.
      const [end, charsMax] = this.#body ? ["\r\n", CHUNK_LINE_CHARS_MAX] : ["\r\n\r\n", HEAD_CHARS_MAX];
      const before = this.#text.length;
      this.#text += bytes.toString("latin1", at, at + charsMax);
      const length = this.#text.indexOf(end);
      if (length < 0 && this.#text.length >= charsMax) throw new Error("a head or a chunk's first line has no end");
      if (length < 0) return false;
      at += length + end.length - before;
      const text = this.#text.slice(0, length);
      this.#text = "";
      if (this.#body) this.#startChunk(text);
      else this.#startBody(text);
    }
  }

  #startBody(head: string): void {
    if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(`the answer is ${head.split("\r\n")[0]}`);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    this.#body = length ? "plain" : "chunked";
    this.#left = length ? Number(length[1]) : 0;
    this.#bytes = this.#left;
    if (!length && !/\r\ntransfer-encoding: *chunked/i.test(head)) throw new Error("the answer's body has no end");
  }

  #startChunk(line: string): void {
    const bytes = parseInt(line, 16);
    this.#bytes += bytes;
    // And the line's end after it.
    this.#left = bytes + 2;
    if (bytes === 0) this.#body = "last chunk";
  }

  #end(nothingBehind: boolean): true {
    if (!nothingBehind) throw new Error("there is something behind the answer");
    this.#lengths.add(this.#bytes);
    this.#body = undefined;
    return true;
  }
}

function requestOf(host: string, { path, bodyBytes }: Asked): Buffer {
  const method = bodyBytes === undefined ? "GET" : "POST";
  const headers = [`host: ${host}`, "accept: */*", "user-agent: bench"];
  if (bodyBytes !== undefined) headers.push(`content-length: ${bodyBytes}`);
  const head = `${method} ${path} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.alloc(bodyBytes ?? 0, "body ")]);
}

/** A server whose queue is full forgets connections that it has not accepted. */
const ATTEMPTS_MAX = 5;

/** Asks, and asks again when the answer has come to its end, as long as it is told to. */
class Connection {
  readonly connected = Promise.withResolvers<void>();
  /** Resolves when it is told to ask no more. */
  readonly ended = Promise.withResolvers<void>();
  readonly #url: URL;
  readonly #request: Buffer;
  readonly #reader: AnswerReader;
  readonly #onAnswer: (ms: number) => boolean;
  #socket: Socket;
  #attempts = 0;
  #sent: number | undefined;

  /** `onAnswer` takes how many ms an answer took, and tells whether to ask again. */
  constructor(url: URL, request: Buffer, reader: AnswerReader, onAnswer: (ms: number) => boolean) {
    this.#url = url;
    this.#request = request;
    this.#reader = reader;
    this.#onAnswer = onAnswer;
    // They may fail before anyone waits for them.
    for (const { promise } of [this.connected, this.ended]) promise.catch(() => {});
    this.#socket = this.#connect();
  }

  ask(): void {
    this.#sent = performance.now();
    this.#socket.write(this.#request);
  }

  close(): void {
    this.#attempts = ATTEMPTS_MAX;
    this.#socket.destroy();
  }

  #connect(): Socket {
    const { hostname, port } = this.#url;
    const onread = {
      buffer: Buffer.alloc(READ_BYTES),
      callback: (count: number, buffer: Uint8Array) => this.#read((buffer as Buffer).subarray(0, count)),
    };
    let failure = new Error("the connection was closed");
    this.#attempts++;
    return connect({ host: hostname, port: Number(port), noDelay: true, onread })
      .once("connect", () => this.connected.resolve())
      .once("error", (error) => (failure = error))
      .once("close", () => this.#closed(failure));
  }

  #closed(failure: Error): void {
    if (this.#attempts === ATTEMPTS_MAX) {
      this.connected.reject(failure);
      this.ended.reject(failure);
      return;
    }
    this.#socket = this.#connect();
    // What was asked was not heard. Its time goes on.
    if (this.#sent !== undefined) this.#socket.write(this.#request);
  }

  #read(bytes: Buffer): boolean {
    // Who has been heard is not forgotten.
    this.#attempts = ATTEMPTS_MAX;
    try {
      if (!this.#reader.take(bytes)) return true;
      if (this.#onAnswer(performance.now() - this.#sent!)) this.ask();
      else this.ended.resolve();
      return true;
    } catch (error) {
      this.ended.reject(error);
      return false;
    }
  }
}

/** Opens all connections, then asks until the time is up, and waits for what is under way. */
async function run(url: string, asked: Asked): Promise<Answered> {
  const place = new URL(url);
  const request = requestOf(place.host, asked);
  const latencies: number[] = [];
  const lengths = new Set<number>();
  let end = Infinity;
  const onAnswer = (ms: number): boolean => {
    latencies.push(ms);
    return performance.now() < end;
  };
  const connections = Array.from(
    { length: asked.connections },
    () => new Connection(place, request, new AnswerReader(lengths), onAnswer),
  );
  try {
    await Promise.all(connections.map(({ connected }) => connected.promise));
    const start = performance.now();
    end = start + asked.seconds * 1000;
    for (const connection of connections) connection.ask();
    await Promise.all(connections.map(({ ended }) => ended.promise));
    const seconds = (performance.now() - start) / 1000;
    const sorted = Float64Array.from(latencies).toSorted();
    const quantile = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1]!;
    const latency = { p50: quantile(0.5), p99: quantile(0.99), p999: quantile(0.999) };
    return { answers: sorted.length, lengths: [...lengths], seconds, ...latency };
  } finally {
    for (const connection of connections) connection.close();
  }
}

process.on("message", ([url, asked]: Question) => {
  run(url, asked).then(
    (answered) => process.send!(answered),
    (error: Error) => process.send!({ error: error.message }),
  );
});
