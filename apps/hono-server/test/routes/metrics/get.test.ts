import { join } from "node:path";

import { openRegistry, type NewGrant } from "@cortex/model-db";
import { describe, expect } from "vitest";

import { createApp } from "../../../src/index.ts";
import { checkedFetch } from "../../checked-fetch.ts";
import { EventReader } from "../../event-reader.ts";
import { test } from "../../harness.ts";

/** The samples of an exposition, by their names with labels. */
async function figures(url: string): Promise<Map<string, number>> {
  const answer = await checkedFetch(`${url}/metrics`);
  expect(answer.status).toBe(200);
  const lines = (await answer.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

function named(found: Map<string, number>, name: string): [string, number][] {
  return [...found].filter(([key]) => key.startsWith(name));
}

describe("GET /metrics", () => {
  test("200: requests are counted by their route, method and status", async ({ service }) => {
    const { registry, url } = service;
    await registry.models.create({ modelId: "a/b:c", sourceType: "local" });
    await fetch(`${url}/v1/models/a/b:c`);
    await fetch(`${url}/v1/models/a%2Fb:c`);
    await fetch(`${url}/v1/models/nobody`);
    await fetch(`${url}/v1/models`);
    await fetch(`${url}/v1/models`, { method: "HEAD" });
    await fetch(`${url}/v1/models/status/nobody`);
    await fetch(`${url}/v1/models:bulk-create`, { method: "POST" });
    await fetch(`${url}/secret/path`);
    await fetch(`${url}/secret/path`, { method: "PROPFIND" });
    await fetch(`${url}/secret/path`, { method: "SEARCH" });
    const count = "cortex_http_request_duration_seconds_count";
    const found = await figures(url);
    expect(new Map(named(found, count))).toEqual(
      new Map([
        [`${count}{route="/v1/models/{model_id}",method="GET",status="200"}`, 2],
        [`${count}{route="/v1/models/{model_id}",method="GET",status="404"}`, 1],
        [`${count}{route="/v1/models",method="GET",status="200"}`, 1],
        [`${count}{route="/v1/models",method="HEAD",status="200"}`, 1],
        [`${count}{route="/v1/models/status/{model_id}",method="GET",status="404"}`, 1],
        [`${count}{route="/v1/models:bulk-create",method="POST",status="415"}`, 1],
        [`${count}{route="none",method="GET",status="404"}`, 1],
        [`${count}{route="none",method="other",status="404"}`, 2],
      ]),
    );
    const others = named(found, "cortex_http_request_duration_seconds_bucket").filter(([key]) =>
      key.includes(`method="other"`),
    );
    expect(others.map(([key]) => /le="(.+?)"/.exec(key)![1]).join(" ")).toBe(
      "0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 +Inf",
    );
    // Each counts what the one before it counts, too.
    const counts = others.map(([, value]) => value);
    expect(counts).toEqual(counts.toSorted((one, other) => one - other));
    expect(counts.at(-1)).toBe(2);
    expect(found.get("cortex_http_requests_under_way")).toBe(1);
    expect(JSON.stringify([...found])).not.toContain("secret");
  });

  test("200: models are counted by source and status, as they are", async ({ service }) => {
    const { registry, url } = service;
    const models = async () =>
      new Map(named(await figures(url), "cortex_models{").filter(([, value]) => value > 0));
    expect((await models()).size).toBe(0);
    await registry.models.create({ modelId: "a", sourceType: "local" });
    await registry.models.create({ modelId: "b", sourceType: "local" });
    await registry.models.create({ modelId: "c", sourceType: "huggingface" });
    await registry.runs.acquire("a", { holder: "engine", ttlMs: 1000 });
    await expect.poll(models).toEqual(
      new Map([
        [`cortex_models{source_type="local",status="running"}`, 1],
        [`cortex_models{source_type="local",status="ready"}`, 1],
        [`cortex_models{source_type="huggingface",status="ready"}`, 1],
      ]),
    );
    // Its lease runs out, without an event.
    await expect
      .poll(async () => (await models()).get(`cortex_models{source_type="local",status="ready"}`), {
        timeout: 5000,
      })
      .toBe(2);
  });

  test("200: commits, files and the process are measured", async ({ service }) => {
    const { registry, url } = service;
    const before = await figures(url);
    await registry.models.create({ modelId: "a", sourceType: "local" });
    await Promise.all(["b", "c"].map((modelId) => registry.models.create({ modelId, sourceType: "local" })));
    const after = await figures(url);
    const rise = (name: string): number => after.get(name)! - before.get(name)!;
    expect(rise("cortex_commit_duration_seconds_count")).toBe(2);
    expect(rise("cortex_committed_changes_total")).toBe(3);
    expect(after.get("cortex_registry_size_bytes")).toBeGreaterThan(4096);
    expect(after.get("cortex_registry_wal_size_bytes")).toBeGreaterThan(4096);
    expect(after.get("process_resident_memory_bytes")).toBeGreaterThan(1e6);
  });

  test("200: of the event loop nothing is told that was not measured", async ({ service }) => {
    await figures(service.url);
    // What was measured is told once, and nothing has been since.
    const lag = named(await figures(service.url), "nodejs_eventloop_lag_");
    expect(lag.length).toBeGreaterThan(0);
    for (const [name, seconds] of lag) expect(seconds, name).toBeLessThan(60);
  });

  test("200: listeners are counted, and how late they are told", async ({ service }) => {
    const { registry, url } = service;
    expect((await figures(url)).get("cortex_event_listeners")).toBe(0);
    {
      using events = await EventReader.open(`${url}/v1/events`);
      await events.nextEvent();
      await registry.models.create({ modelId: "a", sourceType: "local" });
      await events.nextEvent();
      const found = await figures(url);
      expect(found.get("cortex_event_listeners")).toBe(1);
      expect(found.get("cortex_event_feed_lag")).toBe(0);
      expect(found.get("cortex_event_delay_seconds_count")).toBe(1);
    }
    await expect.poll(async () => (await figures(url)).get("cortex_event_listeners")).toBe(0);
  });

  test("200: two services in one process do not mix what they measure", async ({ service }) => {
    const { registry, url } = service;
    await using other = await openRegistry(join(registry.location, "..", "other.db"));
    const app = createApp(other);
    await other.models.create({ modelId: "a", sourceType: "local" });
    const text = await (await app.request("http://localhost/metrics")).text();
    expect(text).toContain("cortex_committed_changes_total 1\n");
    expect(text).not.toContain("cortex_http_request_duration_seconds_count{");
    expect((await figures(url)).get("cortex_committed_changes_total")).toBe(0);
  });

  test("200: who may not see every model is told nothing in which every model counts", async ({
    service,
  }) => {
    const { registry, url } = service;
    await registry.models.create({ modelId: "a", sourceType: "local" });
    const ask = async (name: string, grant: NewGrant): Promise<string> => {
      await registry.access.users.create({ name, grants: [grant] });
      const { token } = await registry.access.tokens.create(name);
      const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
      expect(answer.status).toBe(200);
      return answer.text();
    };
    expect(await ask("root", { role: "admin" })).toContain("cortex_models{");
    const figuresForAll = await ask("ann", { role: "reader" });
    expect(figuresForAll).not.toContain("cortex_models");
    expect(figuresForAll).toContain("cortex_http_requests_under_way");
  });
});
