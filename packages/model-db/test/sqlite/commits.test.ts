import { join } from "node:path";

import { expect } from "vitest";

import { commits, openRegistry, type Commit } from "../../src/index.ts";
import { test } from "./folder.ts";

test("each commit of this process is told, with the time it took and the changes that shared it", async ({
  folder,
}) => {
  const location = join(folder, "registry.db");
  await using registry = await openRegistry(location);
  const told: Commit[] = [];
  const listen = (commit: Commit): void => void told.push(commit);
  await registry.models.create({ modelId: "before", sourceType: "local" });
  commits.subscribe(listen);
  try {
    await registry.models.create({ modelId: "alone", sourceType: "local" });
    await Promise.all(
      ["a", "b", "c"].map((modelId) => registry.models.create({ modelId, sourceType: "local" })),
    );
    await registry.models.create({ modelId: "a", sourceType: "local" }).catch(() => undefined);
    await registry.rehearse(({ models }) => models.delete("a"));
  } finally {
    commits.unsubscribe(listen);
  }
  await registry.models.create({ modelId: "after", sourceType: "local" });
  expect(told.map(({ changes }) => changes)).toEqual([1, 3]);
  for (const commit of told) {
    expect(commit.location).toBe(registry.location);
    expect(commit.durationMs).toBeGreaterThan(0);
    expect(commit.durationMs).toBeLessThan(10_000);
  }
});
