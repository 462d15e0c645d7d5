// Header: include/proactor_v1.h, the contract for guests in C, made from assembly/abi.ts so that it cannot disagree.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { path } from "./paths.ts";

const HELP = `Writes include/proactor_v1.h, the contract for guests in C, from assembly/abi.ts.

  npm run header
`;

export const HEADER = "include/proactor_v1.h";

const RECORDS = `
/* Records, little-endian, at multiples of 4 bytes. */

typedef struct {
  uint32_t token_slot;
  uint32_t token_generation;
  uint16_t opcode;
  uint16_t flags;
  uint32_t resource;
  uint32_t deadline_ms;
  const void *name;
  uint32_t name_bytes;
  const void *data;
  uint32_t data_bytes;
  const void *meta;
  uint32_t meta_bytes;
  uint32_t argument[4];
  uint32_t reserved;
} proactor_submission;

typedef struct {
  uint32_t token_slot;
  uint32_t token_generation;
  int32_t status;
  uint32_t flags;
  uint32_t resource;
  const void *payload;
  uint32_t payload_bytes;
  uint32_t auxiliary;
} proactor_completion;
`;

const IMPORTS = `
/* What the host provides. docs/contract.md says what each returns. */

#define PROACTOR_IMPORT(name) __attribute__((import_module("proactor_v1"), import_name(name)))
#define PROACTOR_EXPORT(name) __attribute__((export_name(name)))

PROACTOR_IMPORT("submit") int32_t proactor_submit(const proactor_submission *submissions, uint32_t count);
PROACTOR_IMPORT("poll")
int32_t proactor_poll(proactor_completion *completions, uint32_t capacity, void *arena, uint32_t arena_bytes);
PROACTOR_IMPORT("open") int32_t proactor_open(const void *name, uint32_t name_bytes);
PROACTOR_IMPORT("abort")
_Noreturn void proactor_abort(const void *message, uint32_t message_bytes, const void *file, uint32_t file_bytes,
                              uint32_t line, uint32_t column);
`;

/** The header's text. */
export function headerText(): string {
  const abi = readFileSync(path("assembly/abi.ts"), "utf8");
  const constants = [...abi.matchAll(/(?:^\/\*\* (.*) \*\/\n)?^export const (\w+): u32 = (.+);$/gm)].map(
    ([, says, name, value]) => `${comment(says)}#define PROACTOR_${name} ${value!.replaceAll("_", "")}u\n`,
  );
  const enums = [...abi.matchAll(/^\/\*\* (.*) \*\/\nexport enum (\w+) \{\n([^}]*)\}/gm)].map(
    ([, says, name, body]) => {
      const members = [...body!.matchAll(/(?:\/\*\*([^]*?)\*\/\s*)?^ {2}(\w+) = (-?\d+),$/gm)].map(
        ([, text, member, value]) =>
          `${comment(text, "  ")}  PROACTOR_${capitals(name!)}_${capitals(member!)} = ${value},\n`,
      );
      return `${comment(says)}enum proactor_${capitals(name!).toLowerCase()} {\n${members.join("")}};\n`;
    },
  );
  return `/* The contract proactor_v1 for guests in C. Made from assembly/abi.ts by scripts/header.ts: change it there. */

#ifndef PROACTOR_V1_H
#define PROACTOR_V1_H

#include <stddef.h>
#include <stdint.h>

${constants.join("")}
${enums.join("\n")}${RECORDS}
${checks(abi).join("\n")}
${IMPORTS}
#endif
`;
}

/** That the compiler lays the records out as the contract says. */
function checks(abi: string): string[] {
  return [...abi.matchAll(/^export const (SUBMISSION|COMPLETION)_(\w+): u32 = /gm)].flatMap(([, record, name]) => {
    const type = `proactor_${record!.toLowerCase()}`;
    const number = `PROACTOR_${record}_${name}`;
    if (name === "BYTES") return [`_Static_assert(sizeof(${type}) == ${number}, "${type}");`];
    const field = name!.toLowerCase().replace(/^argument_(\d)$/, "argument[$1]");
    return [`_Static_assert(offsetof(${type}, ${field}) == ${number}, "${field}");`];
  });
}

function comment(text: string | undefined, indent = ""): string {
  if (!text) return "";
  return `${indent}/* ${text.replace(/\s*\n\s*\*?\s*/g, " ").trim()} */\n`;
}

/** As the header spells names. */
export function capitals(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { help: { type: "boolean", short: "h" } } });
  if (values.help) console.log(HELP);
  else writeFileSync(path(HEADER), headerText());
}
