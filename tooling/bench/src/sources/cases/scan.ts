import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { openRegistry } from "@cortex/model-db";
import { planChanges, scan as scanStores, type Inventory } from "@cortex/model-sources";

import { atMost, type Case } from "../../case.ts";
import { measure } from "../../harness.ts";
import { fillStores } from "../full-stores.ts";

const CLI = join(import.meta.dirname, "../../../../../apps/cli");
const FIND = "find: the size of every file, links followed";
const WALK = "readdir and stat of every file, nothing understood";
const OURS = "scan, none registered";
const KNOWN = "scan, and what it would change: all registered";
const COMMAND = "cortex scan --dry-run --json, as a process";

/**
 * As many models in the stores of seven tools, read again: what the disk has is in memory, so that the time is that of
 * the processor, which other programs do not disturb.
 */
export const scan: Case = {
  name: "scan",
  async run({ fixture, effort }) {
    const home = join(fixture.folder, "home");
    const { modelCount, roots } = fillStores(home, fixture.size);
    const location = join(home, "registry.db");
    const surroundings = { env: {}, home, platform: "linux" } as const;
    const here = { location, surroundings, keep: false };
    const { inventory } = await scanStores(here);
    if (inventory.models.length !== modelCount || inventory.findings.length > 0)
      throw new Error(`${inventory.models.length} of ${modelCount} models were found.`);
    await register(location, inventory);
    await using registry = await openRegistry(location);
    const isBuilt = existsSync(join(CLI, "dist/main.cjs"));
    const find = ["find", "-L", ...roots, "-type", "f", "-printf", "%s %p\\n"];
    const command = [process.execPath, join(CLI, "bin/cortex.cjs"), "scan", "--dry-run", "--json"];
    const measurement = await measure(
      [
        { name: FIND, run: () => microsOfProgram(find, home) },
        { name: WALK, run: () => microsOf(() => walkAll(roots)) },
        { name: OURS, run: () => microsOf(() => scanStores(here)) },
        {
          name: KNOWN,
          run: () =>
            microsOf(async () => {
              const found = await scanStores({ ...here, registry });
              await planChanges(found, registry, { adopt: true, again: false });
            }),
        },
        ...(isBuilt ? [{ name: COMMAND, run: () => microsOfProgram(command, home) }] : []),
      ],
      effort.reads,
    );
    const last = isBuilt ? COMMAND : KNOWN;
    return {
      tables: [{ title: `${modelCount} models in ${roots.length} stores`, reference: FIND, measurement }],
      goals: [
        atMost(`${last}: seconds`, measurement.micros(last) / 1e6, 2),
        atMost(`${OURS}: against a walk that understands nothing`, measurement.ratio(OURS, WALK), 1),
      ],
    };
  },
};

async function register(location: string, { models }: Inventory): Promise<void> {
  await using registry = await openRegistry(location, { actor: "bench" });
  // Of the same content in two stores, one.
  const own = new Map(models.map((model) => [model.sameAs ?? model, model]));
  await registry.models.createMany(
    [...own.values()].map(({ store, modelId, files }) => ({
      modelId: `${store}/${modelId}`,
      sourceType: "local",
      alias: null,
      files: files
        .filter(({ role }) => role !== "other")
        .map(({ path, role, sizeBytes, sha256 }) => ({ path, role, sizeBytes, sha256 })),
    })),
  );
}

/** The processor time of some work. All of it happens in this process, one after the other. */
async function microsOf(work: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

/** The processor time of a program, as the shell that starts it says (`times`, POSIX). */
function microsOfProgram(program: readonly string[], home: string): number {
  const env = { PATH: process.env["PATH"], HOME: home, CORTEX_DB: join(home, "registry.db"), LC_ALL: "C" };
  const script = '"$@" >/dev/null && times';
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script, "sh", ...program], {
    env,
    encoding: "utf8",
  });
  const [, minutes = "", seconds = "", more = "", rest = ""] =
    /\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(stdout) ?? [];
  if (status !== 0 || seconds === "") throw new Error(`${program.join(" ")}: ${stderr || stdout}`);
  return (Number(minutes) * 60 + Number(seconds) + Number(more) * 60 + Number(rest)) * 1e6;
}

async function walkAll(folders: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const folder of folders) {
    for (const { name, parentPath } of await readdir(folder, { withFileTypes: true, recursive: true })) {
      bytes += (await stat(join(parentPath, name))).size;
    }
  }
  return bytes;
}
