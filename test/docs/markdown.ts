// Reads the project's Markdown: its tables and its code blocks, so that tests can hold them against the code.

import { readFileSync } from "node:fs";
import { path } from "../../scripts/paths.ts";

export interface Block {
  /** The first word of the info string. */
  language: string;
  /** Of `title="…"`: the file that the block is. Empty without one. */
  title: string;
  code: string;
}

/** A table's rows, without its head; each cell as it is written. */
export type Table = string[][];

export class Page {
  readonly text: string;

  /** `file` — relative to the root. */
  constructor(readonly file: string) {
    this.text = readFileSync(path(file), "utf8");
  }

  get blocks(): Block[] {
    const fence = /^```(\w*)(?: +title="([^"]*)")?\n([\s\S]*?)^```$/gm;
    return [...this.text.matchAll(fence)].map(([, language = "", title = "", code = ""]) => ({
      language,
      title,
      code,
    }));
  }

  /** The one block with this title. */
  block(title: string): Block {
    const found = this.blocks.filter((block) => block.title === title);
    if (found.length !== 1) throw new Error(`${this.file} has ${found.length} code blocks titled ${title}, not one`);
    return found[0]!;
  }

  /** All tables whose head's cells are these. */
  tables(...head: string[]): Table[] {
    const opening = `| ${head.join(" | ")} |\n`;
    const parts = this.text.split(opening).slice(1);
    if (parts.length === 0) throw new Error(`${this.file} has no table with the head ${opening}`);
    // The first line is the ruler between head and body.
    return parts.map((part) => rowsOf(part.slice(part.indexOf("\n") + 1)));
  }

  /** The one table with this head. */
  table(...head: string[]): Table {
    const found = this.tables(...head);
    if (found.length !== 1) throw new Error(`${this.file} has ${found.length} tables with the head ${head.join(", ")}`);
    return found[0]!;
  }

  get headings(): string[] {
    const withoutBlocks = this.text.replace(/^```[\s\S]*?^```$/gm, "");
    return [...withoutBlocks.matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!);
  }

  /** Targets of links, pictures included. */
  get links(): string[] {
    const withoutBlocks = this.text.replace(/^```[\s\S]*?^```$/gm, "");
    return [...withoutBlocks.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
  }
}

function rowsOf(text: string): Table {
  const rows: Table = [];
  for (const line of text.split("\n")) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

/** A cell's code, without its backticks and without a link around it. */
export function codeIn(cell: string): string {
  const code = /`([^`]+)`/.exec(cell)?.[1];
  if (code === undefined) throw new Error(`there is no code in the cell "${cell}"`);
  return code;
}

/** A cell's number: `4,096`, `0x8000`, `-13`. */
export function numberIn(cell: string): number {
  const number = Number(cell.replaceAll(",", ""));
  if (cell === "" || Number.isNaN(number)) throw new Error(`"${cell}" is no number`);
  return number;
}

/** The fragment that a heading has on the pages that show it. */
export function fragmentOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/`|\[|\]|\([^)]*\)/g, "")
    .replace(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");
}
