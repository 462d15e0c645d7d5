// Records: what lies in the guest's memory while it crosses the border, as objects.

import {
  COMPLETION_AUXILIARY,
  COMPLETION_BYTES,
  COMPLETION_FLAGS,
  COMPLETION_PAYLOAD,
  COMPLETION_PAYLOAD_BYTES,
  COMPLETION_RESOURCE,
  COMPLETION_STATUS,
  COMPLETION_TOKEN_GENERATION,
  COMPLETION_TOKEN_SLOT,
  SUBMISSION_ARGUMENT_0,
  SUBMISSION_ARGUMENT_1,
  SUBMISSION_ARGUMENT_2,
  SUBMISSION_ARGUMENT_3,
  SUBMISSION_BYTES,
  SUBMISSION_DATA,
  SUBMISSION_DEADLINE_MS,
  SUBMISSION_FLAGS,
  SUBMISSION_META,
  SUBMISSION_NAME,
  SUBMISSION_OPCODE,
  SUBMISSION_RESOURCE,
  SUBMISSION_TOKEN_GENERATION,
  SUBMISSION_TOKEN_SLOT,
} from "../../assembly/abi.ts";
import type { Opcode, Status } from "../../assembly/abi.ts";
import { nameOf } from "../processors.ts";

interface Token {
  readonly slot: number;
  readonly generation: number;
}

type Range = readonly [at: number, length: number];

export interface SubmissionRecord extends Token {
  readonly opcode: Opcode;
  readonly flags: number;
  readonly resource: number;
  readonly deadlineMs: number;
  readonly arguments: readonly [number, number, number, number];
  /** Name, data and meta. */
  readonly ranges: readonly Range[];
}

export interface CompletionRecord extends Token {
  readonly status: Status;
  readonly flags: number;
  readonly resource: number;
  readonly auxiliary: number;
  readonly payload: Range;
}

export function tokenOf({ slot, generation }: Token): string {
  return `${slot}:${generation}`;
}

/** The operation as the guest's author knows it. */
export function operationOf(opcode: Opcode): string {
  return nameOf({ opcode } as Parameters<typeof nameOf>[0]);
}

/** The records of a batch; none if they do not lie inside memory, which is for the host to say. */
export function readSubmissions(buffer: ArrayBufferLike, at: number, count: number): SubmissionRecord[] {
  if ((at >>> 0) + (count >>> 0) * SUBMISSION_BYTES > buffer.byteLength) return [];
  return Array.from({ length: count >>> 0 }, (_, index) => {
    const view = new DataView(buffer, (at >>> 0) + index * SUBMISSION_BYTES, SUBMISSION_BYTES);
    const word = (offset: number): number => view.getUint32(offset, true);
    return {
      slot: word(SUBMISSION_TOKEN_SLOT),
      generation: word(SUBMISSION_TOKEN_GENERATION),
      opcode: view.getUint16(SUBMISSION_OPCODE, true),
      flags: view.getUint16(SUBMISSION_FLAGS, true),
      resource: word(SUBMISSION_RESOURCE),
      deadlineMs: word(SUBMISSION_DEADLINE_MS),
      arguments: [
        word(SUBMISSION_ARGUMENT_0),
        word(SUBMISSION_ARGUMENT_1),
        word(SUBMISSION_ARGUMENT_2),
        word(SUBMISSION_ARGUMENT_3),
      ],
      ranges: [SUBMISSION_NAME, SUBMISSION_DATA, SUBMISSION_META].map(
        (field) => [word(field), word(field + 4)] as const,
      ),
    };
  });
}

export function readCompletion(buffer: ArrayBufferLike, at: number): CompletionRecord {
  const view = new DataView(buffer, at, COMPLETION_BYTES);
  const word = (offset: number): number => view.getUint32(offset, true);
  return {
    slot: word(COMPLETION_TOKEN_SLOT),
    generation: word(COMPLETION_TOKEN_GENERATION),
    status: view.getInt32(COMPLETION_STATUS, true),
    flags: word(COMPLETION_FLAGS),
    resource: word(COMPLETION_RESOURCE),
    auxiliary: word(COMPLETION_AUXILIARY),
    payload: [word(COMPLETION_PAYLOAD), word(COMPLETION_PAYLOAD_BYTES)],
  };
}

/** Writes a completion without payload and without resource. */
export function writeCompletion(buffer: ArrayBufferLike, at: number, token: Token, status: number): void {
  const view = new DataView(buffer, at, COMPLETION_BYTES);
  for (let offset = 0; offset < COMPLETION_BYTES; offset += 4) view.setUint32(offset, 0, true);
  view.setUint32(COMPLETION_TOKEN_SLOT, token.slot, true);
  view.setUint32(COMPLETION_TOKEN_GENERATION, token.generation, true);
  view.setInt32(COMPLETION_STATUS, status, true);
  view.setUint32(COMPLETION_AUXILIARY, 200, true);
}
