import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { openRegistry } from "@cortex/model-db";
import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { test } from "../../harness.ts";

function leftovers(location: string): string[] {
  return readdirSync(dirname(location)).filter((name) => name.startsWith(`${basename(location)}.backups`));
}

async function expectNothingLeft(location: string): Promise<void> {
  for (let tries = 0; leftovers(location).length > 0 && tries < 100; tries += 1) await sleep(20);
  expect(leftovers(location)).toEqual([]);
}

describe("GET /v1/maintenance/backup", () => {
  test("200: a registry, whole by its SHA-256, and nothing is left behind", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    const answer = await checkedFetch(`${service.url}/v1/maintenance/backup`);
    const bytes = await answer.bytes();
    const sha256 = createHash("sha256").update(bytes).digest();
    expect(answer.headers.get("etag")).toBe(`"${sha256.toString("hex")}"`);
    expect(answer.headers.get("repr-digest")).toBe(`sha-256=:${sha256.toString("base64")}:`);
    expect(answer.headers.get("content-length")).toBe(String(bytes.length));
    const folder = mkdtempSync(join(tmpdir(), "downloaded-"));
    writeFileSync(join(folder, "copy.db"), bytes);
    const copy = await openRegistry(join(folder, "copy.db"), { mode: "read" });
    expect((await copy.models.get("a")).sourceType).toBe("local");
    await copy.close();
    rmSync(folder, { recursive: true });
    await expectNothingLeft(service.registry.location);
  });

  test("200: a client that goes away leaves nothing behind, and the next one is served", async ({
    service,
  }) => {
    await service.registry.models.createMany(
      Array.from({ length: 2000 }, (_, index) => ({
        modelId: `m${index}`,
        sourceType: "local",
        metadata: { padding: "x".repeat(2000) },
      })),
    );
    const early = new AbortController();
    const gone = fetch(`${service.url}/v1/maintenance/backup`, { signal: early.signal });
    setTimeout(() => early.abort(), 20);
    await expect(gone).rejects.toThrow("aborted");
    let late = await fetch(`${service.url}/v1/maintenance/backup`);
    for (; late.status === 503; late = await fetch(`${service.url}/v1/maintenance/backup`)) await sleep(50);
    const reader = late.body!.getReader();
    await reader.read();
    await reader.cancel();
    await expectNothingLeft(service.registry.location);
    const whole = await fetch(`${service.url}/v1/maintenance/backup`);
    expect([whole.status, (await whole.bytes()).length > 4_000_000]).toEqual([200, true]);
  });

  test("200: HEAD makes none", async ({ service }) => {
    const head = await fetch(`${service.url}/v1/maintenance/backup`, { method: "HEAD" });
    expect([head.status, leftovers(service.registry.location)]).toEqual([200, []]);
  });

  test("503: one at a time", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    const both = await Promise.all([
      checkedFetch(`${service.url}/v1/maintenance/backup`),
      checkedFetch(`${service.url}/v1/maintenance/backup`),
    ]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 503]);
  });
});
