// Server: a host's `serve` in a process of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Server } from "./check.ts";

/** How a server says that it is ready. */
const READY = /^listening on (http:\/\/\S+)$/;

/**
 * Starts a command, a simple one: the shell only splits it, and then becomes it. It gets a process group of its own: between it and the server there may be others, such as a package
 * manager, which pass no signals on.
 */
export function startServer(command: string): Server {
  const child = spawn(`exec ${command}`, { shell: true, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, stderr }));
  const url = new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on("line", (line) => {
      const [, found] = READY.exec(line) ?? [];
      if (found) resolve(found.replace(/\/$/, ""));
    });
    void ended.then(({ code, signal }) => {
      reject(new Error(`the server ended with ${signal ?? code} before it listened:\n${command}\n${stderr}`));
    });
  });
  // Whoever waits for the end alone need not hear of this.
  url.catch(() => {});
  const signal = (name: "SIGTERM" | "SIGKILL"): void => {
    try {
      process.kill(-child.pid!, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  return { url, ended, signal };
}

/** Milliseconds that a server has to end well. */
const END_MS = 5_000;

export async function endServer(server: Server): Promise<void> {
  server.signal("SIGTERM");
  const timer = setTimeout(() => server.signal("SIGKILL"), END_MS);
  await server.ended;
  clearTimeout(timer);
  // What the command has started and not waited for.
  server.signal("SIGKILL");
}
