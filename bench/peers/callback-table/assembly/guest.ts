// Callbacks in a table: what one writes by hand for a module whose imports may not wait. An id goes out with each
// operation and comes back with its end.

abstract class Callback {
  abstract call(bytes: i32): void;
}

const callbacks = new Array<Callback | null>();
const free = new Array<i32>();

/** The host's: each starts an operation and calls `complete(id, bytes)` later. What was read is in `result` then. */
declare function nothing(id: i32): void;
declare function sleep(id: i32): void;
declare function read(id: i32): void;
declare function finish(completed: u32): void;

export const result = memory.data(1024);

function keep(callback: Callback): i32 {
  if (free.length == 0) return callbacks.push(callback) - 1;
  const id = free.pop();
  callbacks[id] = callback;
  return id;
}

export function complete(id: i32, bytes: i32): void {
  const callback = callbacks[id]!;
  callbacks[id] = null;
  free.push(id);
  callback.call(bytes);
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

  call(_bytes: i32): void {
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

  call(_bytes: i32): void {
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

  call(_bytes: i32): void {
    this.completed++;
    this.start();
  }
}

class Reads extends Callback {
  private completed: u32 = 0;
  private right: u32 = 0;
  private waiting: u32 = 0;

  constructor(
    private count: u32,
    private size: u32,
  ) {
    super();
  }

  start(): void {
    if (this.completed >= this.count) return finish(this.right);
    this.waiting = this.size;
    for (let i: u32 = 0; i < this.size; i++) read(keep(this));
  }

  call(bytes: i32): void {
    this.completed++;
    if (bytes == 8) this.right++;
    if (--this.waiting == 0) this.start();
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

export function reads(count: u32, size: u32): void {
  new Reads(count, size).start();
}
