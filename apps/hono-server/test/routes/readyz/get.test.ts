import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openRegistry, type Registry } from "@cortex/model-db";
import { describe, expect } from "vitest";

import { createApp } from "../../../src/index.ts";
import { checkedFetch } from "../../checked-fetch.ts";
import { startService, test } from "../../harness.ts";

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
}

async function ask(url: string): Promise<Answer> {
  const answer = await checkedFetch(`${url}/readyz`);
  const text = await answer.text();
  const { error } = JSON.parse(text) as { error?: { code: string } };
  return { status: answer.status, code: error?.code, text };
}

async function askApp(registry: Registry): Promise<Answer> {
  const answer = await createApp(registry).request("http://localhost/readyz");
  const text = await answer.text();
  const { error } = JSON.parse(text) as { error?: { code: string } };
  return { status: answer.status, code: error?.code, text };
}

describe("GET /readyz", () => {
  test("200: it can read and write, and changes nothing by trying", async ({ service }) => {
    const { registry, url } = service;
    await registry.models.create({ modelId: "a", sourceType: "local" });
    const mark = await registry.stateMark();
    expect(await ask(url)).toMatchObject({ status: 200, text: '{"status":"ready"}' });
    expect(await registry.stateMark()).toBe(mark);
  });

  test("503: shutting_down, as soon as it is about to end", async () => {
    const closing = new AbortController();
    await using service = await startService({ closing: closing.signal });
    expect((await ask(service.url)).status).toBe(200);
    closing.abort();
    expect(await ask(service.url)).toMatchObject({ status: 503, code: "shutting_down" });
  });

  test("503: database_busy, while another program holds the lock; and 200 after it", async ({ service }) => {
    const { registry, url } = service;
    await registry.models.create({ modelId: "a", sourceType: "local" });
    await using other = await openRegistry(registry.location);
    const held = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const transaction = other.transaction(async () => {
      holding.resolve();
      await held.promise;
    });
    await holding.promise;
    const start = performance.now();
    expect(await ask(url)).toMatchObject({ status: 503, code: "database_busy" });
    expect(performance.now() - start).toBeLessThan(4000);
    held.resolve();
    await transaction;
    await expect.poll(async () => (await ask(url)).status, { timeout: 10_000 }).toBe(200);
  });

  test("503: database_damaged, where another file was put in the registry's place", async ({ service }) => {
    const { registry, url } = service;
    await registry.models.create({ modelId: "a", sourceType: "local" });
    expect((await ask(url)).status).toBe(200);
    copyFileSync(registry.location, `${registry.location}.copy`);
    renameSync(`${registry.location}.copy`, registry.location);
    await expect.poll(async () => (await ask(url)).code, { timeout: 10_000 }).toBe("database_damaged");
    const { text } = await ask(url);
    expect(text).not.toContain(registry.location);
  });

  test("503: read_only, where the registry can only be read", async ({ service }) => {
    const { location } = service.registry;
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    await using readOnly = await openRegistry(location, { mode: "read" });
    expect(await askApp(readOnly)).toMatchObject({ status: 503, code: "read_only" });
  });

  test("503: where the registry is closed", async ({ service }) => {
    await service.registry.close();
    expect((await ask(service.url)).status).toBe(503);
  });

  test.skipIf(!canMount())("503: disk_full, where there is no room for a change", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hono-server-full-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", folder]);
    try {
      await using registry = await openRegistry(join(folder, "registry.db"));
      await registry.models.create({ modelId: "a", sourceType: "local" });
      expect((await askApp(registry)).status).toBe(200);
      fill(join(folder, "filler"));
      expect(await askApp(registry)).toMatchObject({ status: 503, code: "disk_full" });
      rmSync(join(folder, "filler"));
      expect((await askApp(registry)).status).toBe(200);
    } finally {
      execFileSync("umount", [folder]);
      rmSync(folder, { recursive: true });
    }
  });
});

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "hono-server-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], { stdio: "ignore" });
    execFileSync("umount", [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function fill(path: string): void {
  try {
    writeFileSync(path, Buffer.alloc(16 * 1024 * 1024));
  } catch {
    // There is no more room: that was wanted.
  }
}
