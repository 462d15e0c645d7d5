// Context: what belongs together because the platform says so.
//
// In workerd an I/O object belongs to the request on whose stack it was made. So each context has operations,
// resources, a timer and a queue of completions of its own, and no completion of one is ever delivered on another's
// stack. The instance has a context too, for what belongs to no request: its accept, and slots to be reclaimed.

import { Opcode, Status } from "../assembly/abi.ts";
import { Chain } from "./chain.ts";
import { CompletionRing } from "./completion-ring.ts";
import type { Completion, Named } from "./completion.ts";
import { Connections } from "./connections.ts";
import { Deadlines } from "./deadlines.ts";
import { Failure } from "./failure.ts";
import type { Host } from "./host.ts";
import type { Instance } from "./instance.ts";
import type { Operation } from "./operation.ts";
import { handlerOf } from "./processors.ts";
import type { ErrorReport } from "./report.ts";
import { ResourceTable } from "./resource-table.ts";
import { dispose } from "./resource.ts";
import type { Resource, Source } from "./resource.ts";
import type { Submission } from "./submission.ts";

export class Context {
  /** Admitted operations that have not completed. The instance finds them by slot. */
  readonly inFlight = new Chain<Operation>();
  /** Completions that wait for a turn. Their places were reserved at admission: an operation counts until polled. */
  readonly pending = new CompletionRing();
  /** Whether a timer is armed that looks after those who wait. */
  watches = false;
  #deadlines: Deadlines | undefined;
  #connections: Connections | undefined;
  readonly #resources = new ResourceTable();

  constructor(
    readonly host: Host,
    readonly instance: Instance,
  ) {}

  // Made on demand: many a request needs neither.

  get deadlines(): Deadlines {
    return (this.#deadlines ??= new Deadlines(this.host.clock));
  }

  get connections(): Connections {
    return (this.#connections ??= new Connections(this.host.limits.connections));
  }

  /** The event as reports name it. */
  get title(): string {
    return "the start of the module";
  }

  /** How many completions wait for a turn. */
  get due(): number {
    return this.pending.length;
  }

  /** Makes sure that a turn will deliver what is pending. The instance's context is served by every turn. */
  wake(): void {}

  // Operations.

  /** Takes note of an operation that did not complete at once. */
  track(operation: Operation): void {
    this.inFlight.add(operation);
    this.instance.operations[operation.slot] = operation;
  }

  /** The same no longer: it has completed. */
  untrack(operation: Operation): void {
    this.inFlight.remove(operation);
    this.instance.forget(operation);
  }

  /** Completes a wait of this context, on whichever context's stack. The instance's has none. */
  wakeOperation(_wait: Operation): void {}

  /** Takes the final completion of what was admitted. */
  complete(admitted: Named, completion: Completion): void {
    this.pending.push(admitted, completion);
    this.wake();
  }

  /** Tells the host's owner of a failure that no handler waits for. */
  reportUnhandled(detached: Named, status: Status, message: string): void {
    this.report({ kind: "unhandled", message, ...handlerOf(detached), status });
  }

  /** Tells the host's owner what went wrong here. */
  report(report: ErrorReport): void {
    this.host.report({ ...report, request: this.title });
  }

  /** Whether it waits for another context, in a way that the guest alone knows. */
  get waits(): boolean {
    return this.inFlight.items().some(({ opcode }) => opcode === Opcode.Wait);
  }

  // Resources.

  addResource(resource: Resource): number {
    const number = this.instance.takeResourceNumber();
    this.#resources.add(number, resource);
    return number;
  }

  /** A resource of this context or of its instance. Another context's is not found. */
  resource(number: number): Resource | undefined {
    return this.#resources.get(number) ?? this.instance.context.#resources.get(number);
  }

  /** The same, if it is of this kind, or of that. Throws BadResource. */
  resourceOf<K extends Resource["kind"]>(number: number, kind: K, or = kind): Extract<Resource, { readonly kind: K }> {
    const resource = this.resource(number);
    if (resource?.kind === kind || resource?.kind === or) return resource as Extract<Resource, { readonly kind: K }>;
    const which = number === 0 ? "what was not granted" : `resource ${number}`;
    const kinds = or === kind ? kind : `${kind} or ${or}`;
    throw new Failure(Status.BadResource, `${which} is no ${kinds} of this context`);
  }

  /** The resource whose body is to be sent instead of the submission's own bytes; none if the number is 0. */
  sourceOf({ dataBytes }: Submission, number: number): Source | undefined {
    if (number === 0) return undefined;
    const source = this.resourceOf(number, "exchange", "body");
    if (dataBytes > 0) throw new Failure(Status.Invalid, "give bytes or a resource, not both");
    return source;
  }

  /** Bytes of a body that the guest gets at most: as many as it asks for, 0 for all, if the host has no lower limit. */
  bodyBytesMax(asked: number): number {
    const { bodyBytes } = this.host.limits;
    return Math.min(asked || bodyBytes, bodyBytes);
  }

  /** Whether the resource is this context's own to close. */
  owns(number: number): boolean {
    return this.#resources.get(number) !== undefined;
  }

  /** Gives a resource of this context back, if there is one, and cancels what is in flight on it. */
  closeResource(number: number): void {
    const resource = this.#resources.get(number);
    if (!resource) return;
    for (const operation of this.inFlight.items()) {
      if (operation.target === number) operation.end(Status.Cancelled, "its resource was closed");
    }
    this.#resources.remove(number);
    this.instance.resources--;
    dispose(resource);
  }

  /** Throws Again if the guest holds as many resources as it may. */
  checkResources(): void {
    if (this.instance.resources < this.host.limits.resources) return;
    throw new Failure(Status.Again, "too many resources are held: close some");
  }

  /** Ends what is in flight without completions, and counts nothing as held. Touches no I/O. */
  abandon(): void {
    for (const operation of this.inFlight.items()) {
      operation.settled = true;
      this.instance.forget(operation);
    }
    this.instance.resources -= this.#resources.all().length;
  }

  /** Aborts and closes what is left. Touches I/O, so only on this context's own stack. */
  letGo(): void {
    this.#deadlines?.clear();
    for (const operation of this.inFlight.items()) operation.abort();
    this.inFlight.clear();
    for (const resource of this.#resources.all()) dispose(resource);
    this.#resources.clear();
  }
}
