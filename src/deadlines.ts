// Deadlines: everything that is due at a time, with one real timer armed for the earliest.
//
// A binary heap in which each entry knows its place, because most deadlines are taken back before they are due.
// Ties go by order of submission.

/** The platform's time and timer; virtual in the simulated host. */
export interface Clock {
  /** Milliseconds since 1970. May stand still between events, and never goes back. */
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const systemClock: Clock = {
  // Whoever sets the system's clock moves no deadline.
  now: () => performance.timeOrigin + performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as number),
};

export interface Deadline {
  due: number;
  order: number;
  place: number;
  expire(): void;
}

export class Deadlines {
  readonly #clock: Clock;
  #heap: Deadline[] = [];
  #order = 0;
  #timer: unknown;
  #armedFor = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Calls `expire` no earlier than `ms` milliseconds after `since`, unless it is removed before. */
  add(ms: number, expire: () => void, since = this.#clock.now()): Deadline {
    const deadline = { due: since + ms, order: this.#order++, place: this.#heap.length, expire };
    this.#heap.push(deadline);
    this.#rise(deadline);
    this.#arm();
    return deadline;
  }

  remove(deadline: Deadline): void {
    if (deadline.place < 0) return;
    const last = this.#heap.pop()!;
    if (last !== deadline) {
      last.place = deadline.place;
      this.#heap[last.place] = last;
      this.#rise(last);
      this.#sink(last);
    }
    deadline.place = -1;
    // A timer that fires for nothing is cheaper than arming another one now. But none may outlive its context.
    if (this.#heap.length === 0) this.#disarm();
  }

  /** Takes back everything. */
  clear(): void {
    this.#heap = [];
    this.#disarm();
  }

  #arm(): void {
    const earliest = this.#heap[0]!.due;
    if (earliest >= this.#armedFor) return;
    this.#disarm();
    this.#armedFor = earliest;
    const ms = Math.max(0, Math.ceil(earliest - this.#clock.now()));
    this.#timer = this.#clock.setTimeout(() => this.#fire(), ms);
  }

  #disarm(): void {
    if (this.#armedFor === Infinity) return;
    this.#clock.clearTimeout(this.#timer);
    this.#armedFor = Infinity;
  }

  #fire(): void {
    // The timer's own word counts too: clocks may stand still between events.
    const now = Math.max(this.#clock.now(), this.#armedFor);
    this.#armedFor = Infinity;
    // What is added meanwhile waits for the next timer, even if it is due now: it means to let others go first.
    const end = this.#order;
    for (let next = this.#heap[0]; next && next.due <= now && next.order < end; next = this.#heap[0]) {
      this.remove(next);
      next.expire();
    }
    if (this.#heap.length > 0) this.#arm();
  }

  #rise(deadline: Deadline): void {
    while (deadline.place > 0) {
      const parent = this.#heap[(deadline.place - 1) >> 1]!;
      if (isBefore(parent, deadline)) return;
      this.#swap(parent, deadline);
    }
  }

  #sink(deadline: Deadline): void {
    for (;;) {
      const left = deadline.place * 2 + 1;
      if (left >= this.#heap.length) return;
      let child = this.#heap[left]!;
      const right = this.#heap[left + 1];
      if (right && isBefore(right, child)) child = right;
      if (isBefore(deadline, child)) return;
      this.#swap(deadline, child);
    }
  }

  #swap(upper: Deadline, lower: Deadline): void {
    const place = upper.place;
    upper.place = lower.place;
    lower.place = place;
    this.#heap[upper.place] = upper;
    this.#heap[lower.place] = lower;
  }
}

function isBefore(a: Deadline, b: Deadline): boolean {
  return (a.due - b.due || a.order - b.order) < 0;
}
