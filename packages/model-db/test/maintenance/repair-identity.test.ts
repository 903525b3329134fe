import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "vitest";

import { createSnapshot, openRegistry, repairRegistry } from "../../src/index.ts";
import { findIdentity } from "../../src/maintenance/registry-identity.ts";
import { test } from "../sqlite/folder.ts";

test("a registry that is repaired belongs to whom it did, and is open to nobody else", async ({ folder }) => {
  const path = join(folder, "registry.db");
  {
    await using registry = await openRegistry(path);
    await registry.models.create({ modelId: "a", sourceType: "local" });
  }
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0x55, 4096, 8192));
  chmodSync(path, 0o640);
  // Only root may give files away.
  if (process.getuid?.() === 0) chownSync(path, 1234, 5678);
  const { mode, uid, gid } = statSync(path);
  expect(await repairRegistry(path)).toBeDefined();
  expect(statSync(path)).toMatchObject({ mode, uid, gid });
});

test("a registry whose own id was damaged is repaired from its backup, and gets its id back", async ({
  folder,
}) => {
  const path = join(folder, "registry.db");
  const backup = join(folder, "backup");
  const models = Array.from({ length: 200 }, (_, index) => ({
    modelId: `model-${index}`,
    sourceType: "local" as const,
    notes: "x".repeat(300),
  }));
  let registryId = "";
  {
    await using registry = await openRegistry(path);
    await registry.models.createMany(models);
    ({ registryId } = registry);
  }
  await createSnapshot(path, backup);
  {
    await using registry = await openRegistry(path);
    await registry.models.update("model-7", { notes: "after the snapshot" });
  }
  const bytes = readFileSync(path);
  for (let at = bytes.indexOf(registryId); at !== -1; at = bytes.indexOf(registryId, at + 1)) {
    bytes[at] = bytes[at] === 0x30 ? 0x31 : 0x30;
  }
  bytes.fill(0, bytes.length - 4096);
  writeFileSync(path, bytes);

  const report = await repairRegistry(path, { from: backup });

  expect(report?.registryId).toBe(registryId);
  await using registry = await openRegistry(path);
  expect(registry.registryId).toBe(registryId);
  expect(await registry.models.count()).toBe(200);
  expect((await registry.models.get("model-7")).notes).toBe("after the snapshot");
});

test("the id of a registry is found where the page is gone that leads to it", async ({ folder }) => {
  const path = join(folder, "registry.db");
  const registry = await openRegistry(path);
  await registry.models.create({ modelId: "a", sourceType: "local" });
  const { registryId } = registry;
  await registry.close();
  writeFileSync(path, readFileSync(path).fill(0, 100, 4096));

  expect(findIdentity(path)?.registryId).toBe(registryId);
});
