import { expect, test } from "vitest";
import { Example } from "./example.ts";

test("files: a folder is its index.html, and a name says what the content is", async () => {
  const example = await Example.start("files");
  const { world, app } = example;
  for (const [file, type, text] of [
    ["/", "text/html; charset=utf-8", "<h1>It works</h1>"],
    ["/style.css", "text/css; charset=utf-8", "h1 { color: green }"],
  ]) {
    const response = await world.run(app.fetch(new Request(`http://localhost${file}`)));
    expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
    expect(await world.run(response.text())).toBe(text);
  }
  expect(await example.fetch("/nothing.txt")).toEqual({ status: 404, text: "there is no such file" });
});

test("files: what is written is there, to the last byte, and may be empty", async () => {
  const example = await Example.start("files", { bodyDelay: [1, 20] });
  for (const body of ["a note", "", "0123456789".repeat(100_000)]) {
    const request = { method: "PUT", body };
    expect(await example.fetch("/note.txt", request)).toEqual({ status: 201, text: "written" });
    expect(await example.fetch("/note.txt")).toEqual({ status: 200, text: body });
  }
});

test("files: one byte too many is refused, and nothing is written", async () => {
  const example = await Example.start("files");
  const body = "0".repeat(1_000_001);
  expect(await example.fetch("/note.txt", { method: "PUT", body })).toEqual({
    status: 413,
    text: "at most 1000000 bytes",
  });
  expect(await example.get("/note.txt")).toBeNull();
  expect(await example.fetch("/note.txt", { method: "DELETE" })).toMatchObject({ status: 405 });
});

test("files: a large file passes by the guest in both directions", async () => {
  const size = 20_000_000;
  const example = await Example.start("files", {
    // None of it would be let in.
    limits: { bodyBytes: 1000 },
    upstream: async (request) =>
      request.method === "PUT" ? new Response(`${(await request.text()).length}`) : new Response("0".repeat(size)),
  });
  expect((await example.fetch("/large/film")).text).toHaveLength(size);
  const upload = await example.fetch("/large/film", { method: "PUT", body: "0".repeat(size) });
  expect(upload).toEqual({ status: 200, text: `${size}` });
});

test("files: a store or an origin that fails is an answer", async () => {
  const example = await Example.start("files", { faults: { kvRateLimited: 1, network: 1 } });
  expect(await example.fetch("/style.css")).toMatchObject({ status: 502 });
  expect(await example.fetch("/note.txt", { method: "PUT", body: "a note" })).toMatchObject({ status: 502 });
  expect(await example.fetch("/large/film")).toEqual({ status: 502, text: "upstream failed" });
});
