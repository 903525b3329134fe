import { copyFileSync } from "node:fs";
import { join } from "node:path";

import Database from "better-sqlite3";
import { expect } from "vitest";

import { openRegistry, type Registry } from "../../src/index.ts";
import { test } from "./folder.ts";

/** Beyond as many steps as a look takes. */
const STEPS = 25;

type Look = (registry: Registry) => Promise<unknown>;

/**
 * What a look finds after a change that another program made while the registry looked for the first time, at
 * each of its steps in turn. A look for something else, made before, notices the change in fewer steps.
 */
async function afterMeetings(path: string, change: string, look: Look, other: Look): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    const copy = `${path}-${step}`;
    copyFileSync(path, copy);
    await using registry = await openRegistry(copy);
    using program = openProgram(copy);
    await other(registry);
    const first = look(registry);
    for (let turn = 0; turn < step; turn += 1) await Promise.resolve();
    program.connection.exec(`BEGIN; ${change}; UPDATE access_revision SET revision = revision + 1; COMMIT`);
    await Promise.all([other(registry), first]);
    seen.push(await look(registry));
  }
  return seen;
}

function openProgram(path: string): Disposable & { readonly connection: Database.Database } {
  const connection = new Database(path);
  return { connection, [Symbol.dispose]: () => connection.close() };
}

test("a token that is revoked while it is looked up is not good afterwards", async ({ folder }) => {
  const path = join(folder, "registry.db");
  const registry = await openRegistry(path);
  await registry.access.users.create({ name: "ann", grants: [{ role: "reader" }] });
  const { token } = await registry.access.tokens.create("ann");
  await registry.close();
  const isGood: Look = ({ access }) =>
    access.authenticate(token).then(
      () => true,
      () => false,
    );
  const change = "UPDATE access_token SET revoked_at = 1";
  expect(await afterMeetings(path, change, isGood, ({ access }) => access.hasUsers())).not.toContain(true);
});

test("a first user who comes while it is looked for one is there afterwards", async ({ folder }) => {
  const path = join(folder, "registry.db");
  await (await openRegistry(path)).close();
  const change = "INSERT INTO access_user (name, created_at) VALUES ('ann', 1)";
  const unknown = `ctx_${"0".repeat(12)}_${"A".repeat(43)}`;
  const guess: Look = ({ access }) => access.authenticate(unknown).catch(() => undefined);
  expect(await afterMeetings(path, change, ({ access }) => access.hasUsers(), guess)).not.toContain(false);
});
