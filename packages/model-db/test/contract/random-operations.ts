import fc from "fast-check";

import type { JsonObject, ModelUpdate, NewModelFile, Registry } from "../../src/index.ts";

const IDS = ["a", "b", "c"];
const NAMES = [...IDS, "x", "y", "z"];

const id = fc.constantFrom(...IDS);
const name = fc.constantFrom(...NAMES);
const names = fc.uniqueArray(name, { maxLength: 2 });
const tags = fc.uniqueArray(fc.constantFrom("chat", "old", "new"), { maxLength: 2 });
const json = fc.oneof(
  fc.integer({ min: 0, max: 2 }),
  fc.constant(null),
  fc.constant<JsonObject>({ deep: [1, "é"] }),
  fc.constant("x"),
);
const metadata = fc.dictionary(fc.constantFrom("k", "l", "constructor"), json, { maxKeys: 2 });

const fields: fc.Arbitrary<ModelUpdate> = fc.record(
  {
    sourceType: fc.constantFrom("local", "huggingface"),
    alias: fc.option(name),
    aliases: names,
    availability: fc.constantFrom("present", "missing"),
    engine: fc.option(fc.constantFrom("llama-cpp", "")),
    sizeBytes: fc.option(fc.integer({ min: 0, max: 2 })),
    capabilities: tags,
    metadata,
    tags,
    notes: fc.option(fc.constantFrom("n", "two\nlines", "")),
    pinned: fc.boolean(),
    lastUsedAt: fc.option(fc.integer({ min: 0, max: 2 })),
  },
  { requiredKeys: [] },
);

/** One call of the registry, which may well be refused. */
export type Operation =
  | { kind: "create"; id: string; fields: ModelUpdate }
  | { kind: "update"; name: string; fields: ModelUpdate }
  | { kind: "changeAliases"; name: string; add: string[]; remove: string[] }
  | { kind: "repointAlias"; name: string; to: string }
  | { kind: "changeTags"; name: string; add: string[]; remove: string[] }
  | { kind: "delete"; name: string }
  | { kind: "put"; name: string; file: NewModelFile }
  | { kind: "deleteFile"; name: string; path: string }
  | { kind: "acquire"; name: string; holder: string; join: boolean }
  | { kind: "release"; holder: string };

const holder = fc.constantFrom("one", "two");
const path = fc.constantFrom("p", "q");

/** Calls that meet the same few models and names over and over. */
export const arbitraryOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("create" as const), id, fields }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("update" as const), name, fields }) },
  fc.record({ kind: fc.constant("changeAliases" as const), name, add: names, remove: names }),
  fc.record({ kind: fc.constant("repointAlias" as const), name, to: name }),
  fc.record({ kind: fc.constant("changeTags" as const), name, add: tags, remove: tags }),
  fc.record({ kind: fc.constant("delete" as const), name }),
  fc.record({
    kind: fc.constant("put" as const),
    name,
    file: fc.record({ path, role: fc.constantFrom("weights", "config"), sizeBytes: fc.option(fc.nat(2)) }),
  }),
  fc.record({ kind: fc.constant("deleteFile" as const), name, path }),
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("acquire" as const), name, holder, join: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("release" as const), holder }) },
);

/** The ids that operations are about. */
export const OPERATION_IDS: readonly string[] = IDS;

/**
 * Makes the call, with `actor` as the actor.
 *
 * @throws whatever the registry throws.
 */
export async function perform(registry: Registry, operation: Operation, actor: string): Promise<void> {
  const { models, files, runs } = registry;
  const options = { actor };
  switch (operation.kind) {
    case "create":
      await models.create({ modelId: operation.id, sourceType: "local", ...operation.fields }, options);
      break;
    case "update":
      await models.update(operation.name, operation.fields, options);
      break;
    case "changeAliases":
      await models.changeAliases(operation.name, { add: operation.add, remove: operation.remove }, options);
      break;
    case "repointAlias":
      await models.repointAlias(operation.name, operation.to, options);
      break;
    case "changeTags":
      await models.changeTags(operation.name, { add: operation.add, remove: operation.remove }, options);
      break;
    case "delete":
      await models.delete(operation.name, options);
      break;
    case "put":
      await files.put(operation.name, operation.file, options);
      break;
    case "deleteFile":
      await files.delete(operation.name, operation.path, options);
      break;
    case "acquire":
      await runs.acquire(
        operation.name,
        { holder: operation.holder, join: operation.join, node: "n" },
        options,
      );
      break;
    case "release": {
      const run = (await runs.list()).find((one) => one.holder === operation.holder);
      if (run !== undefined) await runs.release(run.token, options);
    }
  }
}
