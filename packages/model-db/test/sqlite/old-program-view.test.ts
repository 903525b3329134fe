import { join } from "node:path";

import { OldProgram, type ModelEntry } from "@cortex/old-program";
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect } from "vitest";

import { openRegistry } from "../../src/index.ts";
import { expectSettled, expectSound } from "./expect-sound.ts";
import { test as inFolder } from "./folder.ts";
import { OLD_CONNECTIONS } from "./old-connections.ts";

const SOURCE = "https://huggingface.co/bartowski/phi-4-GGUF";
const word = fc.constantFrom("", "a", "main", "it's", "ü x");
const entry = fc.record({
  model: fc.constantFrom("m1", "m2", "TheBloke:R:f.gguf"),
  authorRepoId: fc.constantFrom("", "TheBloke", "cortexso", "local"),
  branchName: word,
  pathToModelYaml: fc.constantFrom("", "models/imported/a.yml", "models/x.yml"),
  modelAlias: fc.constantFrom("", "m1", "x", "y"),
  modelFormat: fc.constantFrom("", "hf-gguf", "remote"),
  modelSource: fc.constantFrom("", SOURCE, "imported"),
  status: fc.constantFrom("remote" as const, "downloaded" as const, "downloadable" as const),
  engine: word,
  metadata: fc.constantFrom("", "{ }", '{"a" : [1.50, "\\u00fc"]}', "no JSON"),
});
const step = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), entry }),
  fc.record({ kind: fc.constant("update" as const), entry }),
  fc.record({ kind: fc.constant("delete" as const), entry }),
  fc.record({ kind: fc.constant("forget" as const), entry }),
  fc.record({ kind: fc.constant("seen" as const), entry }),
);

async function attempt(program: OldProgram, kind: string, of: ModelEntry): Promise<unknown> {
  try {
    if (kind === "add") return await program.addModelEntry(of);
    if (kind === "update") return await program.updateModelEntry(of.model, of);
    if (kind === "delete") return await program.deleteModelEntry(of.model);
    return await program.deleteModelEntryWithOrg(of.modelSource);
  } catch (error) {
    return (error as Error).message;
  }
}

describe.each(OLD_CONNECTIONS)("an old program ($name)", ({ isThere, connect }) => {
  const test = inFolder.skipIf(!isThere);

  test("is told the same by the view as by the table that it knew, whatever it does", async ({ folder }) => {
    let number = 0;
    const template = join(folder, "template.db");
    await (await openRegistry(template)).close();
    const runs = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
      const paths = [join(folder, `view-${++number}.db`), join(folder, `table-${number}.db`)] as const;
      const source = new Database(template, { readonly: true });
      await source.backup(paths[0]);
      source.close();
      const made = new Database(paths[1]);
      made.exec(
        "CREATE TABLE models (model_id TEXT PRIMARY KEY,author_repo_id TEXT,branch_name TEXT,path_to_model_yaml TEXT,model_alias TEXT, model_format TEXT, model_source TEXT, status TEXT, engine TEXT, metadata TEXT)",
      );
      made.close();
      await using registry = await openRegistry(paths[0]);
      const connections = paths.map((path) => connect(path));
      // What is asked is what is there, not whether it is on the disk.
      for (const connection of connections) await connection.run("PRAGMA synchronous = OFF");
      const [view, table] = connections.map((connection) => new OldProgram(connection)) as [
        OldProgram,
        OldProgram,
      ];
      try {
        for (const { kind, entry: of } of steps) {
          if (kind === "seen") {
            await registry.transaction(async () => undefined);
            continue;
          }
          const outcomes = await Promise.all([view, table].map((program) => attempt(program, kind, of)));
          expect(outcomes[0]).toEqual(outcomes[1]);
          expect(await view.loadModelList()).toEqual(await table.loadModelList());
          expect(await view.getModelSources()).toEqual(await table.getModelSources());
        }
        await expectSound(registry);
        await registry.transaction(async () => undefined);
        expectSettled(paths[0]);
      } finally {
        for (const connection of connections) await connection.close();
      }
    });
    await fc.assert(runs, { numRuns: 10 });
  }, 60_000);
});
