import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { CompiledSql } from "../src/database/query.ts";
import { compiledQueries } from "../src/database/sqlite/compile.ts";
import { FIRST_SQL } from "../src/database/sqlite/first-sql.ts";
import { SHIPPED_SQL } from "../src/database/sqlite/shipped-sql.ts";
import { openRegistry, type ListOptions, type ModelFilter } from "../src/index.ts";

// What `cortex list` asks: so much is loaded with the program.
const FIRST = "model.list summary seq desc  0,0,0";

/**
 * The texts of `first-sql.ts` and `shipped-sql.ts`: the SQL of what a program does first, as the query builder
 * compiles it now, found by doing it.
 */
export async function shippedSql(): Promise<Record<"first-sql.ts" | "shipped-sql.ts", string>> {
  for (const shipped of [FIRST_SQL, SHIPPED_SQL] as Record<string, unknown>[])
    for (const key of Object.keys(shipped)) delete shipped[key];
  const folder = mkdtempSync(join(tmpdir(), "ship-sql-"));
  try {
    await doFirstThings(join(folder, "registry.db"));
  } finally {
    rmSync(folder, { recursive: true });
  }
  const entries = [...compiledQueries()].toSorted(([a], [b]) => (a < b ? -1 : 1));
  // Most statements read the same columns: spelled out once, the file is a quarter of the size.
  const columns = columnsOf(entries, "model by seq", /"model"\."seq" as .*? as "row_checksum"/);
  const summary = columnsOf(entries, FIRST, /"model"\."model_id" as .*? as "updated_at"/);
  const linesOf = (isWanted: (key: string) => boolean): string =>
    entries
      .filter(([key]) => isWanted(key))
      .map(([key, { sql, parameters }]) => {
        const text = JSON.stringify(sql)
          .replace(JSON.stringify(columns).slice(1, -1), '" + COLUMNS + "')
          .replace(JSON.stringify(summary).slice(1, -1), '" + SUMMARY_COLUMNS + "');
        return `  ${JSON.stringify(key)}: { sql: ${text}, parameters: ${JSON.stringify(parameters)} },`;
      })
      .join("\n");
  return {
    "first-sql.ts": `import type { CompiledSql } from "../query.ts";

/** The columns of a summary as a read shows them. */
export const SUMMARY_COLUMNS = ${JSON.stringify(summary)};

/** The statement of \`cortex list\`; the others are in \`shipped-sql.ts\`. Written by \`scripts/ship-sql.ts\`. */
export const FIRST_SQL: Readonly<Record<string, CompiledSql>> = {
${linesOf((key) => key === FIRST)}
};
`,
    "shipped-sql.ts": `import type { CompiledSql } from "../query.ts";
import { FIRST_SQL, SUMMARY_COLUMNS } from "./first-sql.ts";

/** The columns of a model as a read shows them. */
const COLUMNS = ${JSON.stringify(columns)};

/**
 * The statements of a cold start, compiled ahead: the query builder takes longer to load than they take
 * to run. Written by \`scripts/ship-sql.ts\`; a test compares it with what the builder makes today.
 */
export const SHIPPED_SQL: Readonly<Record<string, CompiledSql>> = {
  ...FIRST_SQL,
${linesOf((key) => key !== FIRST)}
};
`,
  };
}

function columnsOf(entries: [string, CompiledSql][], key: string, columns: RegExp): string {
  return columns.exec(entries.find(([known]) => known === key)![1].sql)![0];
}

async function doFirstThings(location: string): Promise<void> {
  await using registry = await openRegistry(location);
  const { models, files, history, runs } = registry;
  await registry.access.users.create({ name: "ann", grants: [{ role: "reader" }] });
  const file = { path: "/models/a.gguf", role: "weights" } as const;
  await models.create({ modelId: "a", sourceType: "local", tags: ["chat"], files: [file] });
  await models.update("a", { notes: "kept", alias: "b", tags: ["old"], authorRepo: "c" });
  for (const [name, value] of Object.entries({
    sourceType: "huggingface" as const,
    branch: "main",
    configPath: "/a.yml",
    alias: "c",
    aliases: ["e"],
    availability: "partial" as const,
    engine: "llama-cpp",
    format: "gguf",
    architecture: "llama",
    quantization: "Q4_K_M",
    parameterCount: 1,
    contextLength: 1,
    sizeBytes: 1,
    capabilities: ["completion"],
    metadata: { a: 1 },
    tags: ["new"],
    notes: "changed",
    pinned: true,
    owner: "ann",
    private: true,
    lastUsedAt: 1,
  })) {
    await models.update("a", { [name]: value });
  }
  await models.update("a", { alias: "b", notes: null });
  await models.repointAlias("d", "a");
  await models.changeAliases("a", { remove: ["d"] });
  await files.put("a", { ...file, sizeBytes: 1 });
  await files.delete("a", file.path);
  await files.list("a");
  const run = await runs.acquire("a", { holder: "engine" });
  await runs.acquire("a", { holder: "engine" });
  await models.update("a", { notes: null }, { leaseToken: run.token });
  await runs.renew(run.token);
  await models.resolve("a");
  await runs.list();
  await runs.list({ name: "a" });
  await runs.release(run.token);
  await models.find("a");
  await models.resolve("b");
  await models.resolveMany(["a", "b"]);
  await models.names({ prefix: "a" });
  const { nextCursor } = await models.list({ limit: 1 });
  await models.list({ cursor: nextCursor, total: true });
  const filters: ModelFilter[] = [
    { source_type: "local" },
    { author_repo: "a" },
    { status: 0 },
    { status: 1 },
    { availability: "present" },
    { format: "gguf" },
    { architecture: "llama" },
    { quantization: "Q4_K_M" },
    { engine: "llama-cpp" },
  ];
  const lists: ListOptions[] = [
    { cursor: nextCursor },
    ...filters.map((filter) => ({ filter })),
    { tags: { all: ["chat"] } },
    { search: "llama" },
    { search: "llama chat" },
    ...(["model_id", "created_at", "updated_at", "size_bytes"] as const).flatMap((field) =>
      (["asc", "desc"] as const).map((direction) => ({ sort: { field, direction } })),
    ),
  ];
  for (const list of lists) {
    await models.list(list);
    await models.summaries(list);
  }
  await models.summaries();
  await history.list();
  await history.list({ modelId: "a" });
  await models.delete("a");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(await shippedSql()))
    writeFileSync(new URL(`../src/database/sqlite/${name}`, import.meta.url), text);
}
