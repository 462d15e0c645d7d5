// Files: a small file server. Small files are values of KV; large ones are streamed past the module.

import { Completion, Exchange, Status, kv, origin, serve } from "wasm-proactor";
export { run } from "wasm-proactor";

/** Bytes of an upload into KV. */
const FILE_BYTES_MAX = 1_000_000;

const store = kv("STORE");
const large = origin("LARGE");

serve((exchange: Exchange) => {
  const method = exchange.method;
  const isLarge = exchange.path.startsWith("/large/");
  if (method == "GET") {
    if (isLarge) download(exchange);
    else readFile(exchange);
  } else if (method == "PUT") {
    if (isLarge) upload(exchange);
    else writeFile(exchange);
  } else {
    exchange.headers.append("allow", "GET, PUT");
    exchange.respond(405, "only GET and PUT");
  }
});

// Files in KV: the whole content is in the guest's memory for a moment.

function fileOf(path: string): string {
  return path.endsWith("/") ? path + "index.html" : path;
}

function readFile(exchange: Exchange): void {
  store.get(fileOf(exchange.path)).then(exchange, (exchange, file) => {
    if (file.failed) return refuse(exchange, file);
    exchange.headers.append("content-type", contentType(fileOf(exchange.path)));
    exchange.respond(200, file);
  });
}

/** Reads the request's body to its end, and writes the file when all of it is there. */
function writeFile(exchange: Exchange): void {
  exchange.read(FILE_BYTES_MAX).then(exchange, (exchange, body) => {
    if (body.failed) return refuse(exchange, body);
    store.put(fileOf(exchange.path), body.bytes()).then(exchange, (exchange, written) => {
      if (written.failed) refuse(exchange, written);
      else exchange.respond(201, "written");
    });
  });
}

// Large files come by way of an origin, since its bodies are streams. They stay on the host, which moves them piece by
// piece, as fast as the reader takes them.

function download(exchange: Exchange): void {
  large.fetch(exchange.path).then(exchange, (exchange, response) => exchange.forward(response));
}

function upload(exchange: Exchange): void {
  large
    .fetch(exchange.path)
    .method("PUT")
    .bodyFrom(exchange.resource)
    .then(exchange, (exchange, response) => exchange.forward(response));
}

// What a failure means to the caller, and what a file's name says of its content.

function refuse(exchange: Exchange, failed: Completion): void {
  switch (failed.status) {
    case Status.NotFound:
      exchange.respond(404, "there is no such file");
      break;
    case Status.TooBig:
      exchange.respond(413, `at most ${FILE_BYTES_MAX} bytes`);
      break;
    default:
      exchange.respond(502, failed.message());
  }
}

function contentType(name: string): string {
  if (name.endsWith(".html")) return "text/html; charset=utf-8";
  if (name.endsWith(".css")) return "text/css; charset=utf-8";
  if (name.endsWith(".js")) return "text/javascript; charset=utf-8";
  if (name.endsWith(".json")) return "application/json";
  if (name.endsWith(".svg")) return "image/svg+xml";
  if (name.endsWith(".png")) return "image/png";
  return "application/octet-stream";
}
