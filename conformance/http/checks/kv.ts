// KV: what is written is read, byte for byte, and listed in order.

import { Checks } from "../check.ts";
import type { Subject } from "../check.ts";
import { expectAnswer, expectEqual } from "../expect.ts";
import type { Answer } from "../expect.ts";
import { JSON_TEXT, NO_KEY, TEXT, refusal, text } from "./answers.ts";

const { all, check } = new Checks();
export const kv = all;

const VALUE_BYTES_MAX = 26_214_400;

const DONE: Answer = { status: 204, body: "" };

/** The path of a key that no other run writes. */
const keyPath = (run: string, name: string): string => `/kv/${run}/${name}`;

async function put({ send }: Subject, path: string, body: BodyInit): Promise<void> {
  await expectAnswer(await send(path, { method: "PUT", body }), DONE);
}

interface Page {
  keys: { name: string }[];
  cursor: string | null;
}

async function list({ send }: Subject, prefix: string, query = ""): Promise<Page> {
  const response = await send(`/kv?prefix=${encodeURIComponent(prefix)}${query}`);
  expectEqual([response.status, response.headers.get("content-type")], [200, JSON_TEXT], "list");
  return (await response.json()) as Page;
}

check("kv: a key is written, read, overwritten and removed", async (subject) => {
  const { send, run } = subject;
  const path = keyPath(run, "colour");
  await expectAnswer(await send(path), NO_KEY);
  await put(subject, path, "grün");
  await expectAnswer(await send(path), text("grün"));
  await put(subject, path, "blau");
  await expectAnswer(await send(path), text("blau"));
  await expectAnswer(await send(path, { method: "DELETE" }), DONE);
  await expectAnswer(await send(path), NO_KEY);
  await expectAnswer(await send(path, { method: "DELETE" }), DONE);
});

check("kv: HEAD is GET without the body, for a key that is there and one that is not", async (subject) => {
  const { send, run } = subject;
  await put(subject, keyPath(run, "head"), "value");
  const there = { status: 200, headers: { "content-type": TEXT }, body: "" };
  const missing = { status: 404, headers: { "content-type": JSON_TEXT }, body: "" };
  await expectAnswer(await send(keyPath(run, "head"), { method: "HEAD" }), there);
  await expectAnswer(await send(keyPath(run, "no-head"), { method: "HEAD" }), missing);
});

check("kv: a value is bytes, and never served as HTML", async (subject) => {
  const { send, run } = subject;
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index * 7);
  await put(subject, keyPath(run, "bytes"), bytes);
  await expectAnswer(await send(keyPath(run, "bytes")), {
    status: 200,
    headers: { "content-type": TEXT },
    body: bytes,
  });
});

check("kv: an empty value is a value", async (subject) => {
  const { send, run } = subject;
  await put(subject, keyPath(run, "empty"), "");
  await expectAnswer(await send(keyPath(run, "empty")), text(""));
});

check("kv: a value of 25 MiB is kept; a longer one is refused, and the one before it stays", async (subject) => {
  const { send, run } = subject;
  const path = keyPath(run, "large");
  const most = new Uint8Array(VALUE_BYTES_MAX);
  // By a plain loop: while a client is busy for seconds, servers close its connections.
  for (let at = 0; at < most.length; at++) most[at] = at ^ (at >> 8);
  await put(subject, path, most);
  const response = await send(path, { method: "PUT", body: new Uint8Array(VALUE_BYTES_MAX + 1) });
  await expectAnswer(response, refusal(413, "too-large"));
  await expectAnswer(await send(path), { status: 200, body: most });
  await expectAnswer(await send(path, { method: "DELETE" }), DONE);
});

check("kv: a key is percent-decoded, slashes included", async (subject) => {
  const { send, run } = subject;
  const name = `${run}/a/b c?d&e=f%g/😀`;
  await put(subject, `/kv/${encodeURIComponent(name)}`, "found");
  await expectAnswer(await send(`/kv/${run}/a/b%20c%3Fd%26e=f%25g/%F0%9F%98%80`), text("found"));
  expectEqual(await list(subject, `${run}/a/b `), { keys: [{ name }], cursor: null }, "list");
  // A plus sign in a query is a blank.
  const plus = await subject.send(`/kv?prefix=${run}%2Fa%2Fb+c`);
  await expectAnswer(plus, { status: 200, json: { keys: [{ name }], cursor: null } });
});

check("kv: keys of 512 bytes are taken, longer ones refused, whatever their characters", async (subject) => {
  const { send, run } = subject;
  const begun = run.length % 2 === 0 ? run : `${run}/`;
  const path = `/kv/${begun}${encodeURIComponent("é".repeat((512 - begun.length) / 2))}`;
  await put(subject, path, "1");
  await expectAnswer(await send(path), text("1"));
  for (const method of ["GET", "PUT", "DELETE"])
    await expectAnswer(await send(`${path}x`, { method }), refusal(413, "too-large"));
});

check("kv: an empty key is refused", async ({ send }) => {
  for (const method of ["GET", "PUT", "DELETE"])
    await expectAnswer(await send("/kv/", { method }), refusal(400, "bad-request"));
});

check("kv: a list goes on where its cursor points", async (subject) => {
  for (const name of ["e", "a", "d", "b", "c"]) await put(subject, keyPath(subject.run, `letter/${name}`), name);
  const prefix = `${subject.run}/letter/`;
  const names: string[] = [];
  let cursor = "";
  for (const expected of [2, 2, 1]) {
    const page = await list(subject, prefix, `&limit=2&cursor=${encodeURIComponent(cursor)}`);
    expectEqual(page.keys.length, expected, "keys on the page");
    names.push(...page.keys.map(({ name }) => name.slice(prefix.length)));
    cursor = page.cursor ?? "";
  }
  expectEqual([names.join(""), cursor], ["abcde", ""], "pages");
});

check("kv: a list is in the order of the keys' UTF-8 bytes", async (subject) => {
  // In UTF-16 the last two would be the other way round.
  const ordered = ["A", "a", "a/b", "aa", "é", "～", "😀"];
  for (const name of ordered.toReversed())
    await put(subject, `/kv/${subject.run}/order/${encodeURIComponent(name)}`, "1");
  const prefix = `${subject.run}/order/`;
  const { keys } = await list(subject, prefix);
  expectEqual(
    keys.map(({ name }) => name.slice(prefix.length)),
    ordered,
    "keys",
  );
});

check("kv: a list has what begins with the prefix, and nothing else", async (subject) => {
  const { send, run } = subject;
  for (const name of ["pre", "pre%25", "pre_", "prefix", "qre", "Pre"]) await put(subject, keyPath(run, name), "1");
  const named = (...names: string[]) => ({ keys: names.map((name) => ({ name: `${run}/${name}` })), cursor: null });
  expectEqual(await list(subject, `${run}/pre`), named("pre", "pre%", "pre_", "prefix"), "list");
  expectEqual(await list(subject, `${run}/pre%`), named("pre%"), "list");
  expectEqual(await list(subject, `${run}/pre_`), named("pre_"), "list");
  expectEqual(await list(subject, `${run}/nothing`), named(), "list");
  await expectAnswer(await send(keyPath(run, "prefix"), { method: "DELETE" }), DONE);
  expectEqual(await list(subject, `${run}/pref`), named(), "list");
});

check("kv: a list escapes what JSON wants escaped", async (subject) => {
  const name = `${subject.run}/quote"back\\slash\nline\u0001\u001f/é😀`;
  await put(subject, `/kv/${encodeURIComponent(name)}`, "1");
  expectEqual(await list(subject, `${subject.run}/quote`), { keys: [{ name }], cursor: null }, "list");
});

check("kv: a prefix of 512 bytes is taken, a longer one refused", async ({ send }) => {
  const nothing = { status: 200, json: { keys: [], cursor: null } };
  await expectAnswer(await send(`/kv?prefix=${"a".repeat(512)}`), nothing);
  await expectAnswer(await send(`/kv?prefix=${"a".repeat(513)}`), refusal(413, "too-large"));
});
