// Gather files: several reads at once, their results in the order in which they were asked for, and then one write.

import { Exchange, KvValue, Operation, Status, gather, gatherSettled, kv, serve } from "wasm-proactor";
export { run } from "wasm-proactor";

const store = kv("STORE");

serve((exchange: Exchange) => {
  const names = exchange.parameter("files");
  if (names === null) {
    exchange.respond(400, "which files? /all?files=a.txt,b.txt or /found?files=a.txt,b.txt");
    return;
  }
  const join = new Join(exchange, names.split(","));
  if (exchange.path == "/all") joinAll(join);
  else if (exchange.path == "/found") joinFound(join);
  else exchange.respond(404, "only /all and /found");
});

/** One request: what its handlers need to know. */
class Join {
  text: string = "";

  constructor(
    public exchange: Exchange,
    public names: string[],
  ) {}

  /** A read of each file. Nothing has been started yet. */
  get reads(): Operation<KvValue>[] {
    return this.names.map<Operation<KvValue>>((name) => store.get("files/" + name));
  }
}

/** GET /all?files=…: all of them in one, or an error if any is missing. The reads that are left are cancelled then. */
function joinAll(join: Join): void {
  gather<KvValue>(join.reads).then(join, (join, files) => {
    if (files.failed) {
      join.exchange.respond(files.status == Status.NotFound ? 404 : 502, files.message());
      return;
    }
    for (let i = 0; i < files.count; i++) join.text += files.at(i).text();
    write(join);
  });
}

/** GET /found?files=…: those that are there in one. Each result tells how its read has ended. */
function joinFound(join: Join): void {
  gatherSettled<KvValue>(join.reads).then(join, (join, files) => {
    const missing: string[] = [];
    for (let i = 0; i < files.count; i++) {
      if (files.at(i).found) join.text += files.at(i).text();
      else missing.push(join.names[i]);
    }
    join.exchange.headers.append("x-missing", missing.join(","));
    write(join);
  });
}

/** Keeps the joined text, and answers with it. */
function write(join: Join): void {
  store.putText("joined", join.text).then(join, (join, written) => {
    if (written.failed) join.exchange.respond(502, written.message());
    else join.exchange.respond(200, join.text);
  });
}
