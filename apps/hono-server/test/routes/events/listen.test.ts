import { setTimeout as sleep } from "node:timers/promises";

import { toEventRecord } from "@cortex/model-db";
import { describe, expect } from "vitest";

import { eventSchema } from "../../../src/schemas/event.ts";
import { EventReader, seen } from "../../event-reader.ts";
import { startService, test } from "../../harness.ts";

function local(modelId: string) {
  return { modelId, sourceType: "local" as const, alias: null };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

describe("GET /v1/events", () => {
  test("200: every change comes as it happens, with its id, its kind and its record", async ({ service }) => {
    const { registry, url } = service;
    await registry.models.create(local("before"));
    using events = await EventReader.open(`${url}/v1/events`);
    expect(events.status).toBe(200);
    expect(events.headers["content-type"]).toBe("text/event-stream");
    expect(Number((await events.next())?.retry)).toBeGreaterThanOrEqual(1000);
    expect(await events.next()).toEqual({ id: "1", event: "ready", data: '{"event_id":1}' });

    await registry.models.create(local("a"));
    await registry.models.changeTags("a", { add: ["chat"] });
    await registry.models.delete("before");
    const { items } = await registry.history.list({ order: "asc" });
    for (const event of items.slice(1)) {
      const block = await events.nextEvent();
      expect(block).toEqual({
        id: String(event.eventId),
        event: event.kind,
        data: JSON.stringify(toEventRecord(event)),
      });
      eventSchema.parse(JSON.parse(block.data));
    }
  });

  test("200: what happened meanwhile comes first, by Last-Event-ID or after, and then what happens", async ({
    service,
  }) => {
    const { registry, url } = service;
    await registry.models.createMany(Array.from({ length: 450 }, (_, index) => local(`m${index}`)));
    using all = await EventReader.open(`${url}/v1/events?after=0`);
    using some = await EventReader.open(`${url}/v1/events?after=0`, { "last-event-id": "400" });
    expect(await all.nextIds(450)).toEqual(range(1, 450));
    expect(await some.nextIds(50)).toEqual(range(401, 450));
    await registry.models.create(local("next"));
    expect(await all.nextIds(1)).toEqual([451]);
    expect(await some.nextIds(1)).toEqual([451]);
  });

  test("200: nothing is missed or doubled where the past meets the present", async ({ service }) => {
    const { registry, url } = service;
    await registry.models.createMany(Array.from({ length: 300 }, (_, index) => local(`past ${index}`)));
    const writing = (async () => {
      for (let index = 0; index < 200; index++) {
        await registry.models.create(local(`present ${index}`));
        if (index % 4 === 0) await sleep(1);
      }
    })();
    const readAll = async (): Promise<number[]> => {
      using events = await EventReader.open(`${url}/v1/events?after=0`);
      return await events.nextIds(500);
    };
    const readers: Promise<number[]>[] = [];
    for (let index = 0; index < 30; index++) {
      readers.push(readAll());
      await sleep(Math.random() * 20);
    }
    await writing;
    for (const ids of await Promise.all(readers)) expect(ids).toEqual(range(1, 500));
  });

  test("200: only what its filters let through, of the past and of what happens", async ({ service }) => {
    const { registry, url } = service;
    const change = async (round: string): Promise<void> => {
      await registry.models.create(local(`a${round}`), { actor: "ada" });
      await registry.models.create(local(`b${round}`), { actor: "bob" });
      await registry.models.changeTags("a1", { add: [`t${round}`] }, { actor: "bob" });
      await registry.models.update(`b${round}`, { notes: "n" }, { actor: "ada" });
    };
    await change("1");
    const tasks: [query: string, first: string[], then: string[]][] = [
      ["model_id=a1", ["created a1", "tagged a1"], ["tagged a1"]],
      ["kind=tagged&kind=updated", ["tagged a1", "updated b1"], ["tagged a1", "updated b2"]],
      ["actor=bob", ["created b1", "tagged a1"], ["created b2", "tagged a1"]],
      ["actor=ada&kind=created", ["created a1"], ["created a2"]],
    ];
    const readers = await Promise.all(
      tasks.map(([query]) => EventReader.open(`${url}/v1/events?after=0&${query}`)),
    );
    for (const [index, [, first]] of tasks.entries())
      expect(await seen(readers[index]!, first.length)).toEqual(first);
    await change("2");
    for (const [index, [, , then]] of tasks.entries())
      expect(await seen(readers[index]!, then.length)).toEqual(then);
    for (const reader of readers) reader[Symbol.dispose]();
  });

  test("200: silence is filled with comments, also where events come that nobody asked for", async () => {
    await using service = await startService({ heartbeatMs: 80 });
    using events = await EventReader.open(`${service.url}/v1/events?kind=deleted`);
    await events.nextEvent();
    const writing = (async () => {
      for (let index = 0; index < 20; index++) {
        await service.registry.models.create(local(`m${index}`));
        await sleep(20);
      }
    })();
    expect(await events.next()).toEqual({ comment: "heartbeat" });
    expect(await events.next()).toEqual({ comment: "heartbeat" });
    await writing;
  });

  test("200: an event after which nothing can come is answered with reset, and the stream goes on", async ({
    service,
  }) => {
    const { registry, url } = service;
    await registry.models.createMany([local("a"), local("b")]);
    using events = await EventReader.open(`${url}/v1/events`, { "last-event-id": "3" });
    expect(await events.nextEvent()).toEqual({ id: "2", event: "reset", data: '{"event_id":2}' });
    await registry.models.create(local("c"));
    expect(await events.nextIds(1)).toEqual([3]);
  });

  test("200: when the service closes, streams end with a word why, and new ones are refused with 503", async () => {
    const closing = new AbortController();
    await using service = await startService({ closing: closing.signal });
    using events = await EventReader.open(`${service.url}/v1/events`);
    await events.nextEvent();
    await service.registry.models.create(local("a"));
    await events.nextEvent();
    closing.abort();
    expect(await events.rest()).toEqual([{ comment: "the server is closing; come back with Last-Event-ID" }]);
    const refused = await fetch(`${service.url}/v1/events`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
  });

  test("200: when the registry is closed, streams end", async ({ service }) => {
    using events = await EventReader.open(`${service.url}/v1/events`);
    await events.nextEvent();
    const ending = events.rest();
    await sleep(50);
    await service.registry.close();
    expect(await ending).toEqual([{ comment: "the registry was closed; come back with Last-Event-ID" }]);
  });

  test("200: HEAD begins nothing", async ({ service }) => {
    const answer = await fetch(`${service.url}/v1/events`, { method: "HEAD" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect(await answer.text()).toBe("");
  });

  test.for([
    ["kind=made", "kind"],
    ["after=-1", "after"],
    ["after=1e3", "after"],
    ["after=1&after=2", "after"],
    ["model_id=%00", "model_id"],
    ["since=1", "since"],
  ])("400: %s is refused, naming %s", async ([query, field], { service }) => {
    const answer = await fetch(`${service.url}/v1/events?${query}`);
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe("invalid_input");
    expect(error.message).toContain(field);
  });

  test("400: a Last-Event-ID that is none is refused", async ({ service }) => {
    const answer = await fetch(`${service.url}/v1/events`, { headers: { "last-event-id": "abc" } });
    expect(answer.status).toBe(400);
  });
});
