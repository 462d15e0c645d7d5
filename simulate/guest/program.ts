// runtimes: incremental, minimal, stub
// options: --exportRuntime
// Interpreter: a guest whose program comes with the request, so that one seed can decide what the guest does.
//
// A request's path is `/id/step;step;…`, and a step `operation,parent,deadline,x,y`: it starts when the step `parent` is
// done, or at once if that is -1. See simulate/program.ts, which writes programs, and simulate/check.ts, which knows
// what must come of them. Every step writes what became of it into the program's log; an answer is the log so far.

import { Runtime } from "shared/runtime";
import {
  Completion,
  CompletionHandler,
  Content,
  Exchange,
  KvKeys,
  KvValue,
  Response,
  Token,
  cancel,
  close,
  kv,
  noop,
  origin,
  read,
  serve,
  timer,
} from "../../assembly/index";
export { run } from "../../assembly/index";

const cache = kv("CACHE");
const api = origin("API");
const absent = kv("ABSENT");

/** What to do next, when a step has several operations. */
enum Phase {
  First,
  Last,
}

/** Whether a handler is on the stack. */
let busy = false;

class Program {
  log: string = "";
  steps: Step[] = [];

  constructor(
    public id: string,
    public exchange: Exchange,
  ) {}

  /** Starts what waits for this step. */
  after(index: i32): void {
    const steps = this.steps;
    for (let i = 0; i < steps.length; i++) if (steps[i].parent == index) steps[i].start();
  }
}

class Step extends CompletionHandler {
  private token: Token = 0;
  private phase: Phase = Phase.First;

  constructor(
    private program: Program,
    private index: i32,
    private operation: i32,
    public parent: i32,
    private deadline: u32,
    private x: u32,
    private y: u32,
  ) {
    super();
  }

  private get key(): string {
    return this.x < 10 ? `shared${this.x}` : `own${this.program.id}.${this.x}`;
  }

  private get url(): string {
    return `/${this.program.id}/${this.index}?bytes=${this.x}`;
  }

  /** Names this step to the store: the store writes down what it gave to whom. */
  private get tag(): u32 {
    return 1000 + <u32>I32.parseInt(this.program.id) * 100 + this.index;
  }

  start(): void {
    const exchange = this.program.exchange;
    const deadline = this.deadline;
    switch (this.operation) {
      case 0x61: // a: abort
        busy = false;
        assert(false, "the program says so");
        break;
      case 0x62: // b: the request's body
        this.token = exchange.read(this.y).timeout(deadline).submit(this);
        break;
      case 0x63: // c: cancel
        return this.done(`${<i32>cancel(this.program.steps[this.x].token)}`);
      case 0x64: // d: delete
        this.token = cache.remove(this.key).timeout(deadline).submit(this);
        break;
      case 0x65: // e: what must fail
        this.fail();
        break;
      case 0x66: // f: fetch with its body
        this.token = api.fetch(this.url).withBody(this.y).timeout(deadline).submit(this);
        break;
      case 0x67: // g: get
        this.token = cache.get(this.key).cacheTtl(this.tag).timeout(deadline).submit(this);
        break;
      case 0x68: // h: a chain
        this.token = noop().submit(this);
        break;
      case 0x69: // i: post what the seed has written
        this.token = api
          .fetch(this.url)
          .method("POST")
          .body(this.content(this.y))
          .withBody()
          .timeout(deadline)
          .submit(this);
        break;
      case 0x6a: // j: get by a resource that is opened now
        this.token = kv("CACHE").get(this.key).cacheTtl(this.tag).withMetadata().timeout(deadline).submit(this);
        break;
      case 0x6b: // k: list
        this.token = cache.list("shared").page(this.x).timeout(deadline).submit(this);
        break;
      case 0x6c: // l: fetch, and leave the body on the host
      case 0x72: // r: fetch, then read
      case 0x78: // x: fetch, then close
        this.token = api.fetch(this.url).timeout(deadline).submit(this);
        break;
      case 0x6d: // m: memory
        litter(this.y);
        return this.done("0");
      case 0x6e: // n: noop
        this.token = noop().timeout(deadline).submit(this);
        break;
      case 0x6f: // o: out with the garbage
        // The minimal runtime's collector sees no stack, so it may not be called from here.
        if (ASC_RUNTIME == Runtime.Incremental) __collect();
        return this.done("0");
      case 0x70: // p: put
        this.token = cache.put(this.key, this.content(this.y)).timeout(deadline).submit(this);
        break;
      case 0x71: // q: answer
        exchange.respond(200, `${this.program.id}|${this.program.log}`);
        return this.done("0");
      case 0x73: // s: answer with the request's body
        exchange.stream(200, exchange.resource);
        return this.done("0");
      case 0x74: // t: timer
        this.token = timer(this.x).timeout(deadline).submit(this);
        break;
      case 0x75: // u: a trap that nobody expects
        busy = false;
        unreachable();
      case 0x76: // v: another
        busy = false;
        this.done(`${load<u8>(<usize>0xffff_ff00)}`);
        break;
      case 0x77: // w: fetch, then forward
        this.token = api.fetch(this.url).timeout(deadline).submit(this);
        break;
      case 0x79: // y: what the guest learns from nobody else
        return this.done(`${Math.random()}:${Date.now()}`);
    }
  }

  private fail(): void {
    switch (this.x) {
      case 0:
        this.token = api.fetch("http://elsewhere.test/").submit(this);
        break;
      case 1:
        this.token = absent.get("key").submit(this);
        break;
      case 2:
        this.token = timer(<u32>-1).submit(this);
        break;
      default:
        this.token = close(cache.resource).submit(this);
    }
  }

  /** Bytes that only this step of this program has. */
  private content(bytes: u32): ArrayBuffer {
    const content = new Uint8Array(<i32>bytes);
    const seed = this.tag;
    for (let at: u32 = 0; at < bytes; at++) content[at] = <u8>(seed + at * 7 + (at >> 8));
    return content.buffer;
  }

  onComplete(completion: Completion): void {
    if (busy) abort("G1: a handler runs inside another");
    busy = true;
    this.complete(completion);
    busy = false;
  }

  private complete(completion: Completion): void {
    const operation = this.operation;
    const failed = completion.failed;
    if (operation == 0x68 && !failed && --this.x > 0) {
      this.token = noop().submit(this);
      return;
    }
    const status = `${completion.status}`;
    if (this.phase == Phase.Last) {
      this.done(operation == 0x72 ? `${status}:${checksum(changetype<Content>(completion).bytes())}` : status);
    } else if ((operation == 0x72 || operation == 0x78) && !failed) {
      this.note(`${status}:${changetype<Response>(completion).statusCode}`);
      this.phase = Phase.Last;
      const resource = completion.resource;
      if (operation == 0x78) this.token = close(resource).submit(this);
      else this.token = read(resource, this.y).timeout(this.deadline).submit(this);
    } else if (operation == 0x77) {
      this.program.exchange.forward(changetype<Response>(completion));
      this.done(status);
    } else {
      this.done(status + this.result(completion));
    }
  }

  /** What a success has brought. */
  private result(completion: Completion): string {
    if (completion.failed) return "";
    const response = changetype<Response>(completion);
    switch (this.operation) {
      case 0x62:
        return `:${checksum(changetype<Content>(completion).bytes())}`;
      case 0x66:
      case 0x69:
        return `:${response.statusCode}:${checksum(response.bytes())}`;
      case 0x67:
      case 0x6a:
        return `:${checksum(changetype<KvValue>(completion).bytes())}`;
      case 0x6b:
        return `:${names(changetype<KvKeys>(completion))}`;
      case 0x6c:
        return `:${response.statusCode}`;
    }
    return "";
  }

  private note(what: string): void {
    this.program.log += `${this.index}:${what}|`;
  }

  private done(what: string): void {
    this.note(what);
    this.program.after(this.index);
  }
}

/** Allocates what nobody keeps. */
function litter(bytes: u32): i32 {
  return new ArrayBuffer(<i32>bytes).byteLength;
}

function names(keys: KvKeys): string {
  let text = "";
  for (let i: u32 = 0; i < keys.count; i++) text += keys.key(i) + ",";
  return text;
}

/** FNV-1a, 32 bits. */
function checksum(bytes: ArrayBuffer): string {
  let sum: u32 = 0x811c9dc5;
  const start = changetype<usize>(bytes);
  for (let at = 0; at < bytes.byteLength; at++) sum = (sum ^ load<u8>(start + at)) * 0x01000193;
  return `${bytes.byteLength}.${sum}`;
}

serve((exchange: Exchange) => {
  busy = true;
  const path = exchange.path.split("/");
  const program = new Program(path[1], exchange);
  const steps = path[2].split(";");
  for (let i = 0; i < steps.length; i++) {
    const parts = steps[i].split(",");
    const parent = <i32>I32.parseInt(parts[1]);
    const numbers = [<u32>U32.parseInt(parts[2]), <u32>U32.parseInt(parts[3]), <u32>U32.parseInt(parts[4])];
    const step = new Step(program, i, parts[0].charCodeAt(0), parent, numbers[0], numbers[1], numbers[2]);
    program.steps.push(step);
  }
  program.after(-1);
  busy = false;
});
