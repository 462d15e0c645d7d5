// Server: a host's `serve` in a process of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Server } from "./check.ts";

/** How a server says that it is ready. */
const READY = /^listening on (http:\/\/\S+)$/;

/**
 * Starts a shell command, in the folder of the caller or in `cwd`. It gets a process group of its own, all of which is sent
 * the signals: the server may be a child of something that passes none on. The shell itself takes no notice of them, so that
 * it ends as the server does.
 */
export function startServer(command: string, cwd?: string): Server {
  const child = spawn(`trap : INT TERM\n${command}`, {
    shell: true,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd && { cwd }),
  });
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
  // In a group of its own it would outlive whoever has started it.
  const end = (): void => signal("SIGKILL");
  process.once("exit", end);
  void ended.then(() => process.off("exit", end));
  return { url, ended, group: child.pid!, signal };
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
