// World: a module and the host that drives it, as one thing whose state can be saved and put back.

import { Host } from "./host.ts";
import type { HostOptions } from "./host.ts";
import { Machine } from "./machine.ts";
import type { Layout } from "./machine.ts";
import { PACKED_WORDS, pack, unpack } from "./packing.ts";
import type { Checks } from "./promises.ts";
import { REQUESTS } from "./state.ts";
import type { State } from "./state.ts";
import type { Variant } from "./variant.ts";

/** A saved state: the host's, behind a word for the number of the guest's; and the guest's. */
export class Saved {
  readonly host = new Int32Array(1 + PACKED_WORDS);
  guest = new Int32Array();

  equals(other: Saved): boolean {
    // The number of the guest's half is known only once it was looked up.
    return isEqual(this.host, other.host, 1) && isEqual(this.guest, other.guest, 0);
  }
}

function isEqual(left: Int32Array, right: Int32Array, from: number): boolean {
  for (let index = from; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}

export class World {
  readonly host: Host;
  readonly machine: Machine;

  /** Starts a module whose memory has so many pages more. */
  constructor(variant: Variant, options: HostOptions, checks: Checks, layout: Layout, pages: number) {
    this.host = new Host(checks, options);
    this.machine = new Machine(variant, this.host.imports, layout);
    this.host.initialize(this.machine, pages);
  }

  get state(): State {
    return this.host.state;
  }

  /** Takes a turn with nothing due, which shows where the library has its records. */
  begin(): void {
    this.host.turn(REQUESTS[0], 1, []);
    this.machine.begin();
  }

  restore({ host, guest }: Saved): void {
    this.machine.restore(guest);
    unpack(this.state, this.machine, host, 1);
  }

  /** Saves the host's half; `withGuest`, the guest's too, and throws LayoutGrew if the layout lacks something. */
  save({ host, guest }: Saved, withGuest: boolean): void {
    pack(this.state, this.machine, host, 1);
    if (!withGuest) return;
    this.machine.save(guest);
    this.machine.compareWithStart();
  }
}
