// Border table: a row for each record that crosses, in the order in which they do.

import type { Crossing } from "./border.ts";
import { element } from "./element.ts";

/** Rows that are kept; an aggregate has about a dozen. */
const ROWS_MAX = 500;

export class BorderTable {
  readonly #region: HTMLElement;
  readonly #rows: HTMLTableSectionElement;

  constructor(region: HTMLElement) {
    this.#region = region;
    this.#rows = region.querySelector("tbody")!;
  }

  /** Bound, since it is handed on as a listener. */
  readonly add = ({ kind, instance, token, operation, status, failed, detail, at }: Crossing): void => {
    const isSubmission = kind === "submission";
    const direction = element("td", isSubmission ? "→" : "←", isSubmission ? "out" : "in");
    direction.ariaLabel = kind;
    const row = document.createElement("tr");
    // A request begins.
    if (!isSubmission && operation === "accept") row.className = "first";
    row.append(
      element("td", at.toFixed(1)),
      direction,
      element("td", `${instance}·${token}`),
      element("td", operation),
      element("td", status, failed ? "bad" : isSubmission ? "" : "good"),
      element("td", detail),
    );
    const isAtEnd = this.#region.scrollTop + this.#region.clientHeight >= this.#region.scrollHeight - 4;
    this.#rows.append(row);
    if (this.#rows.rows.length > ROWS_MAX) this.#rows.rows[0]!.remove();
    // Who has scrolled back is reading.
    if (isAtEnd) this.#region.scrollTop = this.#region.scrollHeight;
  };

  clear(): void {
    this.#rows.replaceChildren();
  }
}
