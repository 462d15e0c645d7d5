import { expect, test } from "vitest";
import { RESOURCE_MAX, Status } from "../../assembly/abi.ts";
import { onEachHost } from "../support/hosts.ts";

const { BadResource, Cancelled, NotFound, NotPermitted, Ok } = Status;

onEachHost("close", (host) => {
  test("close: a body that nobody has read is broken off, and is no resource any more", async () => {
    expect(await host.json("/body")).toEqual({ close: Ok, read: BadResource, again: BadResource });
  });

  test("close: what is in flight on the resource ends as Cancelled", async () => {
    expect(await host.json("/reading")).toEqual({ close: Ok, read: Cancelled });
    expect(await host.json("/fetching")).toEqual({ close: Ok, fetch: Cancelled });
  });

  test("close: what a request has opened can be given back, and opened again under another number", async () => {
    expect(await host.json("/grant")).toEqual({ close: Ok, get: BadResource, "opened again": NotFound });
  });

  test("close: what the module opened while it started is every request's, and none may close it", async () => {
    expect(await host.json("/grant-of-all")).toMatchObject({ status: NotPermitted });
    expect(await host.json("/body")).toMatchObject({ close: Ok });
  });

  test.for([0, 1_000_000, RESOURCE_MAX, 0xffff_ffff])("close: %d is no resource", async (resource) => {
    const result = await host.json(`/unknown?resource=${resource}`);
    expect(result).toEqual({ status: BadResource, message: "close: no such resource here" });
  });

  test("close: an exchange that is closed cannot be answered, and the host answers for it", async () => {
    const response = await host.fetch("/exchange");
    expect([response.status, (await response.json()).error]).toEqual([500, "unanswered"]);
    expect(await host.takeReports()).toMatchObject([
      { kind: "unhandled", operation: "respond", status: BadResource },
      { kind: "unanswered", operation: "respond" },
    ]);
  });
});
