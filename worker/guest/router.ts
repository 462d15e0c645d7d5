// Router: method and path → handler.

import { Exchange, percentDecode } from "../../assembly/index";
import { refuse } from "./answer";

export type Handler = (exchange: Exchange) => void;

class Route {
  private isPrefix: bool;
  private path: string;

  /** A pattern that ends in `*` stands for every path that begins so. */
  constructor(
    readonly method: string,
    pattern: string,
    readonly handler: Handler,
  ) {
    const isPrefix = pattern.endsWith("*");
    this.isPrefix = isPrefix;
    this.path = isPrefix ? pattern.slice(0, -1) : pattern;
  }

  matches(path: string): bool {
    return this.isPrefix ? path.startsWith(this.path) : path == this.path;
  }
}

export class Router {
  private routes: Route[] = [];

  get(pattern: string, handler: Handler): this {
    return this.on("GET", pattern, handler).on("HEAD", pattern, handler);
  }

  put(pattern: string, handler: Handler): this {
    return this.on("PUT", pattern, handler);
  }

  post(pattern: string, handler: Handler): this {
    return this.on("POST", pattern, handler);
  }

  delete(pattern: string, handler: Handler): this {
    return this.on("DELETE", pattern, handler);
  }

  private on(method: string, pattern: string, handler: Handler): this {
    this.routes.push(new Route(method, pattern, handler));
    return this;
  }

  /** Calls the handler, or refuses. Handlers may rely on a path and a query that can be decoded. */
  handle(exchange: Exchange): void {
    const path = exchange.path;
    const method = exchange.method;
    if (percentDecode(path) === null) return refuse(exchange, 400, "the path is not percent-encoded UTF-8");
    if (percentDecode(exchange.query) === null) return refuse(exchange, 400, "the query is not percent-encoded UTF-8");
    const allowed: string[] = [];
    for (let i = 0; i < this.routes.length; i++) {
      const route = this.routes[i];
      if (!route.matches(path)) continue;
      if (route.method == method) return route.handler(exchange);
      allowed.push(route.method);
    }
    if (allowed.length == 0) return refuse(exchange, 404, `there is nothing at ${path}`);
    exchange.headers.append("allow", allowed.join(", "));
    refuse(exchange, 405, `${path} does not take ${method}`);
  }
}
