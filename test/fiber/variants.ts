// The builds of a guest with fibers, and what each needs of its host.

import { jspi } from "../../src/fiber.ts";
import type { Instantiate } from "../../src/index.ts";

export interface Variant {
  title: string;
  /** What follows the guest's name in that of its file. */
  suffix: string;
  options: { instantiate?: Instantiate };
}

const withJspi = (title: string, suffix: string): Variant => ({ title, suffix, options: { instantiate: jspi() } });
const inside = (title: string, suffix: string): Variant => ({ title, suffix: `${suffix}.asyncify`, options: {} });

/** The two that users have: the plain build on JSPI, and the one that was put through Asyncify. */
export const RELEASES: Variant[] = [withJspi("JSPI", ""), inside("Asyncify", "")];

export const VARIANTS: Variant[] = [
  ...RELEASES,
  withJspi("JSPI, debug", ".debug"),
  inside("Asyncify, debug", ".debug"),
  withJspi("JSPI, stub", ".stub"),
  inside("Asyncify, stub", ".stub"),
];
