// Dice: what the fuzzers roll. Everything comes from one seed, so every case can be made again.

import { Random } from "../../src/testing/random.ts";

/** Numbers at which arithmetic of 32 bits goes wrong. */
const EDGES = [0, 1, 2, 3, 4, 7, 8, 31, 32, 63, 64, 255, 256, 4095, 4096, 4097, 0xffff, 0x1_0000, 0xf_ffff, 0x10_0000];
const HIGH_EDGES = [0x7fff_fffc, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_ff00, 0xffff_fffc, 0xffff_ffff];

export class Dice extends Random {
  /** One of the keys, as often as its weight says. */
  weighted<K extends string>(weights: Record<K, number>): K {
    const keys = Object.keys(weights) as K[];
    let left = this.next() * keys.reduce((sum, key) => sum + weights[key], 0);
    return keys.find((key) => (left -= weights[key]) < 0) ?? keys[0]!;
  }

  /** Any 32 bits. */
  word(): number {
    return Math.floor(this.next() * 0x1_0000_0000);
  }

  /** A number that is likely to be one too few or one too many. */
  edge(): number {
    if (this.chance(0.2)) return this.word();
    return this.pick(this.chance(0.7) ? EDGES : HIGH_EDGES);
  }

  /** Bytes, as a text of one character for each. */
  bytes(length: number): string {
    let text = "";
    for (let index = 0; index < length; index++) text += String.fromCharCode(Math.floor(this.next() * 256));
    return text;
  }
}

/** The bytes of a text of one character for each. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** A list of pairs in the contract's encoding; `lie` is added to one of its numbers. */
export function pairsText(
  pairs: readonly (readonly [string, string])[],
  lie?: readonly [word: number, by: number],
): string {
  const words = [pairs.length, ...pairs.flatMap(([name, value]) => [name.length, value.length])];
  if (lie) words[lie[0] % words.length]! += lie[1];
  const head = words.map((word) =>
    String.fromCharCode(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24),
  );
  return head.join("") + pairs.flat().join("");
}
