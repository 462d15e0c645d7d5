// Body: a stream that arrives piece by piece, may break off, and is in a ledger until it is read to its end or let go of.

import type { Span } from "./checks.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { Random } from "./random.ts";

/** Pieces end at multiples of this, whatever the source's are: those differ from engine to engine. */
const PIECE_BYTES = 16_384;

/** Bodies ever opened, and what became of them. */
export class BodyLedger {
  opened = 0;
  /** Read to their end. */
  consumed = 0;
  /** Let go of by whoever had them. */
  cancelled = 0;
  /** Ended by the network. */
  broken = 0;
  /** Ended together with the request that they belonged to. */
  dropped = 0;

  get open(): number {
    return this.opened - this.consumed - this.cancelled - this.broken - this.dropped;
  }
}

export interface BodyOptions {
  ledger: BodyLedger;
  clock: VirtualClock;
  /** Milliseconds, the least and the most, from one piece to the next. */
  delay: Span;
  /** Decides the delays. The body's own, so that no other body's pace changes them. */
  random: Random;
  /** Breaks off after its first piece. */
  breaks: boolean;
  /** Aborted when the body is gone together with its request. */
  ended?: AbortSignal | undefined;
  /** Of the fetch that brought it: aborting that ends the body too, as the fetch standard says. */
  signal?: AbortSignal | undefined;
}

export function simulatedBody(source: ReadableStream<Uint8Array>, options: BodyOptions): ReadableStream<Uint8Array> {
  const { ledger, clock, delay, random, breaks, ended, signal } = options;
  const reader = source.getReader();
  let open = true;
  /** Of the source's last chunk. */
  let rest: Uint8Array = new Uint8Array(0);
  let position = 0;
  /** Where the piece ends that is under way. */
  let begun = 0;
  const read = (): Promise<ReadableStreamReadResult<Uint8Array>> =>
    reader.read().catch((error: unknown) => {
      close("broken");
      throw error;
    });
  const nextPiece = async (): Promise<void> => {
    begun += PIECE_BYTES;
    await pause(clock, delay, random);
  };
  ledger.opened++;
  const close = (how: "consumed" | "cancelled" | "broken" | "dropped"): void => {
    if (open) ledger[how]++;
    open = false;
  };
  const drop = (): void => {
    close("dropped");
    reader.cancel().catch(() => {});
  };
  const abort = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    if (!open) return;
    close("cancelled");
    reader.cancel(signal!.reason).catch(() => {});
    controller.error(signal!.reason);
  };
  if (ended?.aborted) drop();
  ended?.addEventListener("abort", drop, { once: true });
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        signal?.addEventListener("abort", () => abort(controller), { once: true });
      },
      async pull(controller) {
        // At the same time: how long an engine takes to read must not add to what has been drawn.
        const [chunk] = await Promise.all([rest.length === 0 ? read() : undefined, position === begun && nextPiece()]);
        if (!open) return new Promise(() => {});
        if (chunk?.done) {
          close("consumed");
          return controller.close();
        }
        if (chunk) rest = chunk.value;
        if (rest.length === 0) return this.pull!(controller);
        const piece = rest.subarray(0, begun - position);
        rest = rest.subarray(piece.length);
        position += piece.length;
        controller.enqueue(piece);
        if (!breaks) return;
        close("broken");
        controller.error(new Error("simulated break of the body"));
      },
      cancel(reason) {
        close("cancelled");
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Fractions of a millisecond see to it that no two bodies go on at the same moment: engines would not agree on the order. */
async function pause(clock: VirtualClock, [least, most]: Span, random: Random): Promise<void> {
  if (most === 0) return;
  await new Promise<void>((resolve) => clock.setTimeout(resolve, least + random.next() * (most - least)));
}
