// Steps: what the pipelines do, whatever their style: three operations, and what lies between them.

import { Fetch, KvGet, KvPut, KvValue, Response, Status, kv, origin } from "wasm-proactor";

const store = kv("STORE");
const api = origin("API");

// Operations. Nothing runs until the pipeline submits them.

export function readUser(id: string): KvGet {
  return store.get("user/" + id);
}

export function fetchDetails(id: string): Fetch {
  return api.fetch("/details/" + id).withBody(1000);
}

export function writeProfile(id: string, profile: string): KvPut {
  return store.putText("profile/" + id, profile);
}

// Between them.

export class User {
  constructor(
    public name: string,
    public city: string,
  ) {}

  /** `Ada;London`; null if it is anything else. */
  static parse(record: string): User | null {
    const fields = record.split(";");
    return fields.length == 2 ? new User(fields[0], fields[1]) : null;
  }

  /** What is written: the record and the details in one. */
  merge(details: string): string {
    return `${this.name} from ${this.city}: ${details}`;
  }
}

/** How a pipeline has ended. */
export class Outcome {
  constructor(
    public status: u32,
    public reason: string,
  ) {}
}

// One for each way to fail; there is nothing to throw.

export function noUser(value: KvValue): Outcome {
  if (value.status == Status.NotFound) return new Outcome(404, "no such user");
  return new Outcome(502, "the user could not be read");
}

export function malformed(): Outcome {
  return new Outcome(422, "the user's record is malformed");
}

export function hasDetails(response: Response): bool {
  return !response.failed && response.statusCode == 200;
}

export function noDetails(): Outcome {
  return new Outcome(502, "the details could not be fetched");
}

export function notWritten(): Outcome {
  return new Outcome(502, "the profile could not be written");
}

export function written(): Outcome {
  return new Outcome(200, "written");
}
