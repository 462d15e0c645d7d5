// Callbacks in a table: what one writes by hand for a module whose imports may not wait. An id goes out with each
// operation and comes back with its end.

abstract class Callback {
  abstract call(): void;
}

const callbacks = new Array<Callback | null>();
const free = new Array<i32>();

/** The host's: starts an operation that does nothing, or one that takes a millisecond, and calls `complete(id)` later. */
declare function nothing(id: i32): void;
declare function sleep(id: i32): void;
declare function finish(completed: u32): void;

function keep(callback: Callback): i32 {
  if (free.length == 0) return callbacks.push(callback) - 1;
  const id = free.pop();
  callbacks[id] = callback;
  return id;
}

export function complete(id: i32): void {
  const callback = callbacks[id]!;
  callbacks[id] = null;
  free.push(id);
  callback.call();
}

class Rounds extends Callback {
  private completed: u32 = 0;
  private waiting: u32 = 0;

  constructor(
    private count: u32,
    private batch: u32,
  ) {
    super();
  }

  start(): void {
    if (this.completed >= this.count) return finish(this.completed);
    this.waiting = this.batch;
    for (let i: u32 = 0; i < this.batch; i++) nothing(keep(this));
  }

  call(): void {
    this.completed++;
    if (--this.waiting == 0) this.start();
  }
}

class Pummel extends Callback {
  private started: u32 = 0;
  private completed: u32 = 0;

  constructor(private count: u32) {
    super();
  }

  start(inFlight: u32): void {
    if (this.count == 0) return finish(0);
    for (let i: u32 = 0; i < inFlight && i < this.count; i++) this.next();
  }

  call(): void {
    if (++this.completed == this.count) finish(this.completed);
    else if (this.started < this.count) this.next();
  }

  private next(): void {
    this.started++;
    nothing(keep(this));
  }
}

class Latency extends Callback {
  private completed: u32 = 0;

  constructor(private count: u32) {
    super();
  }

  start(): void {
    if (this.completed == this.count) finish(this.completed);
    else sleep(keep(this));
  }

  call(): void {
    this.completed++;
    this.start();
  }
}

export function noop(count: u32, batch: u32): void {
  new Rounds(count, batch).start();
}

export function pummel(count: u32, inFlight: u32): void {
  new Pummel(count).start(inFlight);
}

export function latency(count: u32, _size: u32): void {
  new Latency(count).start();
}
