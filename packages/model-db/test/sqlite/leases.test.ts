import { join } from "node:path";

import Database from "better-sqlite3";
import { describe, expect } from "vitest";

import { MODEL_STATUS, openRegistry } from "../../src/index.ts";
import { expectRefusal } from "../contract/refusal.ts";
import { test } from "./folder.ts";

describe("a lease from before the machine was started anew", () => {
  test.for([
    ["by the name of the start", "UPDATE model_run SET boot_id = 'another'"],
    [
      "by a clock that begins again",
      "UPDATE model_run SET renewed_tick_ms = renewed_tick_ms + 100000000, expires_tick_ms = expires_tick_ms + 100000000",
    ],
  ] as const)("is over, as told %s", async ([, sql], { folder }) => {
    const path = join(folder, "registry.db");
    await using registry = await openRegistry(path);
    await registry.models.create({ modelId: "a", sourceType: "local" });
    const old = await registry.runs.acquire("a", { holder: "h", ttlMs: 3_600_000 });
    const database = new Database(path);
    database.exec(sql);
    database.close();
    expect((await registry.models.get("a")).status).toBe(MODEL_STATUS.READY);
    expect(await registry.models.count({ filter: { status: MODEL_STATUS.RUNNING } })).toBe(0);
    expect(await registry.runs.list()).toEqual([]);
    await expectRefusal("lease_lost", registry.runs.renew(old.token));
    await expectRefusal("lease_lost", registry.models.update("a", { notes: "n" }, { leaseToken: old.token }));
    const next = await registry.runs.acquire("a", { holder: "h", ttlMs: 3_600_000 });
    expect(next.token).toBeGreaterThan(old.token);
    expect((await registry.models.get("a")).status).toBe(MODEL_STATUS.RUNNING);
    await registry.models.update("a", { notes: "n" }, { leaseToken: next.token });
  });

  test("is not left behind: after many that ran out, only those that hold are stored", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await using registry = await openRegistry(path);
    await registry.models.create({ modelId: "a", sourceType: "local" });
    await registry.runs.acquire("a", { holder: "keeper", ttlMs: 3_600_000 });
    for (let index = 0; index < 5; index++) {
      await registry.runs.acquire("a", { holder: `joined ${index}`, join: true });
      const database = new Database(path);
      database.exec("UPDATE model_run SET expires_tick_ms = renewed_tick_ms - 1 WHERE holder <> 'keeper'");
      database.close();
    }
    await registry.runs.acquire("a", { holder: "last", join: true });
    const database = new Database(path);
    const stored = database.prepare("SELECT holder FROM model_run ORDER BY holder").pluck().all();
    database.close();
    expect(stored).toEqual(["keeper", "last"]);
  });
});
