// Completion: the record as the host writes it for groups.

import {
  COMPLETION_AUXILIARY,
  COMPLETION_FLAGS,
  COMPLETION_PAYLOAD,
  COMPLETION_PAYLOAD_BYTES,
  COMPLETION_RESOURCE,
  COMPLETION_STATUS,
  COMPLETION_TOKEN_GENERATION,
  COMPLETION_TOKEN_SLOT,
} from "../../../assembly/abi.ts";
import type { Completion } from "./state.ts";

/** Writes one, with its auxiliary value as the payload, at `payload`: in the arena, where the next turn overwrites it. */
export function writeCompletion(words: Int32Array, at: number, completion: Completion, payload: number): void {
  const { slot, generation, status, flags, resource, auxiliary } = completion;
  words[(at + COMPLETION_TOKEN_SLOT) >>> 2] = slot;
  words[(at + COMPLETION_TOKEN_GENERATION) >>> 2] = generation;
  words[(at + COMPLETION_STATUS) >>> 2] = status;
  words[(at + COMPLETION_FLAGS) >>> 2] = flags;
  words[(at + COMPLETION_RESOURCE) >>> 2] = resource;
  words[(at + COMPLETION_PAYLOAD) >>> 2] = payload;
  words[(at + COMPLETION_PAYLOAD_BYTES) >>> 2] = 4;
  words[(at + COMPLETION_AUXILIARY) >>> 2] = auxiliary;
  words[payload >>> 2] = auxiliary;
}
