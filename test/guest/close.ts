import { Completion, Exchange, Kv, Origin, close, kv, origin, read, serve } from "../../assembly/index";
import { Json } from "./support/json";
import { numberOf } from "./support/query";
export { run } from "../../assembly/index";

const api = origin("API");

class State {
  resource: u32 = 0;
  left: i32 = 2;
  report: Json = new Json();
  constructor(public exchange: Exchange) {}

  note(name: string, completion: Completion): this {
    this.report.number(name, completion.status);
    return this;
  }

  /** Answers when both have completed. */
  done(): void {
    if (--this.left == 0) this.answer();
  }

  answer(): void {
    this.exchange.respond(200, this.report.toString());
  }
}

serve((exchange: Exchange) => {
  const path = exchange.path;
  const state = new State(exchange);
  if (path == "/body") {
    api.fetch("/endless").then(state, (state, response) => {
      state.resource = response.resource;
      close(state.resource).then(state, (state, done) => {
        state.note("close", done);
        read(state.resource).then(state, (state, content) => {
          state.note("read", content);
          close(state.resource).then(state, (state, done) => state.note("again", done).answer());
        });
      });
    });
  } else if (path == "/reading") {
    api.fetch("/endless").then(state, (state, response) => {
      read(response.resource).then(state, (state, content) => state.note("read", content).done());
      close(response.resource).then(state, (state, done) => state.note("close", done).done());
    });
  } else if (path == "/fetching") {
    const own = new Origin(origin("API").resource);
    own.fetch("/never").then(state, (state, response) => state.note("fetch", response).done());
    close(own.resource).then(state, (state, done) => state.note("close", done).done());
  } else if (path == "/grant") {
    state.resource = kv("CACHE").resource;
    close(state.resource).then(state, (state, done) => {
      state.note("close", done);
      new Kv(state.resource).get("a").then(state, (state, value) => {
        state.note("get", value);
        kv("CACHE")
          .get("a")
          .then(state, (state, value) => state.note("opened again", value).answer());
      });
    });
  } else if (path == "/grant-of-all") {
    close(api.resource).then(exchange, (exchange, done) =>
      exchange.respond(200, new Json().completion(done).toString()),
    );
  } else if (path == "/unknown") {
    close(numberOf(exchange, "resource")).then(exchange, (exchange, done) => {
      exchange.respond(200, new Json().completion(done).toString());
    });
  } else if (path == "/exchange") {
    close(exchange.resource).then(exchange, (exchange, _done) => exchange.respond(200, "too late"));
  }
});
