// Guest model: what the guest library promises. Who has which token, what is handed over in which order, and which
// handler is called with what.

import { CancelResult, MORE, RECLAIM, Status } from "../../assembly/abi.ts";
import { NO_BYTES, OPCODES, Operation, must } from "./books.ts";
import type { Completion, Context, Seen, Submitted } from "./books.ts";

const slotOf = (token: string): string => token.split(":")[0]!;

export class GuestModel {
  /** Submissions that have not crossed the border, in order. */
  readonly prepared: Operation[] = [];
  readonly refused: Operation[] = [];
  /** Completions that `poll` gave out and nobody has heard of. */
  readonly polled: Completion[] = [];
  /** What the handler that runs was called for. */
  handling: Completion | undefined;
  /** Whether this turn has told of refusals. */
  refusing = false;
  /** Slots in use, those included whose number nobody has said yet. */
  claimed = 0;
  /** Operations by slot. */
  readonly #slots = new Map<string, Operation>();
  readonly #issued = new Set<string>();

  // Submissions.

  prepare(operation: Operation): void {
    this.prepared.push(operation);
    this.claimed++;
  }

  /** The guest has said a token. G7: it names this operation for ever, and its slot is nobody else's. */
  named(operation: Operation, token: string): void {
    if (operation.token !== "") return must("G7", operation.token === token, () => `${operation} became ${token}`);
    operation.token = token;
    must("G7", !this.#issued.has(token), () => `${operation} has a token that was another's`);
    must("G7", !this.#slots.has(slotOf(token)), () => `${operation} has a slot that is another's`);
    this.#issued.add(token);
    this.#slots.set(slotOf(token), operation);
  }

  /** The next submission crosses the border. */
  handedOver({ token, opcode, detached, bytes }: Submitted): Operation {
    const operation = this.prepared.shift();
    must("G3", operation !== undefined, () => `${token} was handed over, and nobody prepared it`);
    must("G10", opcode === OPCODES[operation.kind], () => `opcode ${opcode} was handed over before ${operation}`);
    must("G21", detached === operation.detached, () => `${operation} was handed over with detached ${detached}`);
    this.named(operation, token);
    operation.bytes = bytes;
    return operation;
  }

  /** Between two handlers nothing is handed over, so whatever is left on this turn calls none. */
  allDispatched(context: Context | undefined): void {
    if (this.handling) return;
    for (const next of this.polled.splice(0))
      must("G3", !this.#receive(next, context), () => `the handler of ${next.operation} was passed over`);
  }

  // Handlers.

  /** A handler is called. G1, G2: never inside another, nor inside the call that submitted its operation. */
  entered(context: Context | undefined, number: number, seen: Seen, claimed: number, stale: number): Completion {
    must("G1", context !== undefined && !this.handling, () => `handler ${number} was called inside another`);
    const next = this.nextHandler(context);
    must("G3", next !== undefined, () => `handler ${number} was called, and nothing had come for it`);
    const { operation } = next;
    must("G10", number === operation.number, () => `handler ${number} was called instead of that of ${operation}`);
    must("G7", seen.token === operation.token, () => `the handler of ${operation} was told ${seen.token}`);
    compare(operation.cancelled ? "G7" : "G3", next, seen);
    must("G6", claimed === this.claimed, () => `${claimed} slots are in use instead of ${this.claimed}`);
    must("G7", stale === 0, () => `${stale} completions were stale`);
    this.handling = next;
    return next;
  }

  /** Takes what calls no handler, and then the next that does. Refusals come after all else. */
  nextHandler(context: Context | undefined): Completion | undefined {
    for (;;) {
      const next = this.polled.shift() ?? this.#nextRefusal();
      if (!next || this.#receive(next, context)) return next;
    }
  }

  #nextRefusal(): Completion | undefined {
    const operation = this.refused.shift();
    if (!operation) return undefined;
    this.refusing = true;
    return { operation, flags: 0, status: Status.Again, resource: undefined, payload: undefined, auxiliary: 0, run: 0 };
  }

  /** G6: its slot is free. G7: a cancel that won is kept, and a result goes back. Returns whether a handler is called. */
  #receive(next: Completion, context: Context | undefined): boolean {
    const { operation, flags } = next;
    if (flags & MORE) return true;
    this.#free(operation);
    if (flags & RECLAIM) return false;
    if (operation.cancelled) {
      if (next.resource) this.prepare(Operation.silent("close", context, next.resource.number));
      Object.assign(next, { status: Status.Cancelled, resource: undefined, payload: NO_BYTES, auxiliary: 0 });
    }
    return !operation.detached;
  }

  #free(operation: Operation): void {
    this.claimed--;
    if (operation.token !== "") this.#slots.delete(slotOf(operation.token));
  }

  /** A handler calls `cancel`. G7: the answer is decided at once. */
  cancel(token: string, context: Context | undefined): CancelResult {
    const operation = this.#slots.get(slotOf(token));
    if (operation?.token !== token) return this.#issued.has(token) ? CancelResult.TooLate : CancelResult.Unknown;
    if (!operation.cancelled) this.prepare(Operation.silent("end", context, 0, token));
    operation.cancelled = true;
    return CancelResult.Won;
  }

  /** What a turn that was cut off had under way is free again, and nobody is told. */
  recover(): void {
    const lost = this.polled.filter(({ flags }) => !(flags & MORE)).map(({ operation }) => operation);
    for (const operation of [...lost, ...this.prepared, ...this.refused]) this.#free(operation);
    this.polled.length = this.prepared.length = this.refused.length = 0;
    this.handling = undefined;
  }

  // What scripts can name.

  /** Operations in use that a script has submitted. */
  get operations(): Operation[] {
    return [...this.#slots.values()].filter(({ number }) => number > 1);
  }

  /** Tokens whose operations are over. */
  get spentTokens(): string[] {
    return [...this.#issued].filter((token) => this.#slots.get(slotOf(token))?.token !== token);
  }
}

/** Compares a completion with what it must say. */
export function compare(promise: string, next: Completion, seen: Seen): void {
  const { operation, status, flags, resource, payload, auxiliary } = next;
  const said = `${seen.status} ${seen.flags} ${seen.resource} ${seen.auxiliary}`;
  const meant = `${status} ${flags} ${resource?.number ?? 0} ${auxiliary}`;
  must(promise, said === meant, () => `${operation} completed with ${said} instead of ${meant}`);
  if (!payload) return;
  must("G5", Buffer.compare(payload, seen.payload) === 0, () => `${operation} has ${seen.payload}, not ${payload}`);
}
