import { openRegistry, type Registry } from "@cortex/model-db";

import { atMost, type Case } from "../case.ts";
import { openRaw } from "../contenders/raw.ts";
import { aliasAt, modelAt } from "../dataset.ts";
import { RecompileWatch } from "../recompiles.ts";

const RUNS = 10;

/** Whether a statement is compiled again because it is given other values, also when there are statistics. */
export const recompile: Case = {
  name: "recompile",
  sizes: (size) => size < 1_000_000,
  async run({ fixture }) {
    const plain = await recompiles(fixture.copy("recompile"), fixture.size, false);
    const analyzed = await recompiles(fixture.copy("recompile-analyzed"), fixture.size, true);
    return {
      facts: [
        { title: "statements of the registry that were watched", value: plain.statements, unit: "" },
        {
          title: `runs that compiled again, in ${plain.works * RUNS} calls`,
          value: plain.own,
          unit: named(plain.names),
        },
        { title: "the same after ANALYZE", value: analyzed.own, unit: named(analyzed.names) },
        {
          title: `runs that compiled again, raw "... = ? LIMIT ?", ${RUNS} calls`,
          value: plain.control,
          unit: "",
        },
      ],
      goals: [
        atMost("statements compiled again by new values", plain.own, 0),
        atMost("statements compiled again by new values, after ANALYZE", analyzed.own, 0),
      ],
    };
  },
};

function named(names: readonly string[]): string {
  return names.length === 0 ? "" : `(${names.join(", ")})`;
}

async function recompiles(
  path: string,
  size: number,
  analyze: boolean,
): Promise<{ statements: number; works: number; own: number; names: string[]; control: number }> {
  if (analyze) {
    const connection = openRaw(path);
    connection.exec("ANALYZE");
    connection.close();
  }
  const watch = new RecompileWatch();
  try {
    const registry = await openRegistry(path, { actor: "bench" });
    const works = Object.entries(worksOf(registry, size));
    for (let index = 0; index < 3; index++) for (const [, work] of works) await work(index);
    const statements = watch.statements;
    const connection = openRaw(path, { readonly: true });
    const naive = connection.prepare("SELECT * FROM model WHERE author_repo = ? ORDER BY seq LIMIT ?");
    naive.all("a", 1);
    watch.arm();
    let own = 0;
    const names: string[] = [];
    for (const [name, work] of works) {
      const count = await watch.count(async () => {
        for (let index = 3; index < 3 + RUNS; index++) await work(index);
      });
      own += count;
      if (count > 0) names.push(name);
    }
    const control = await watch.count(() => {
      for (let index = 0; index < RUNS; index++) naive.all(modelAt(index).authorRepo, index + 2);
    });
    await registry.close();
    connection.close();
    return { statements, works: works.length, own, names, control };
  } finally {
    watch.stop();
  }
}

function worksOf(
  { models, files, history, runs }: Registry,
  size: number,
): Record<string, (index: number) => Promise<unknown>> {
  const nameAt = (index: number): string => aliasAt(index % size);
  const idAt = (index: number): string => modelAt(index % size).modelId;
  return {
    get: (index) => models.get(idAt(index)),
    resolve: (index) => models.resolve(nameAt(index)),
    resolveMany: (index) => models.resolveMany([nameAt(index), idAt(index + 1)]),
    names: (index) => models.names({ prefix: `model-${index}`, limit: 5 + index }),
    list: (index) => models.list({ limit: 5 + index }),
    "list, filtered": (index) =>
      models.list({
        filter: { source_type: "huggingface", status: 0, author_repo: modelAt(index).authorRepo },
        limit: 5 + index,
      }),
    "list, ranges": (index) =>
      models.list({
        filter: {
          size_bytes: { gt: index * 4096 },
          created_at: { le: 2e12 - index },
          engine: ["llama-cpp", `x${index}`],
        },
      }),
    "list, texts": (index) => models.list({ filter: { model_id: { like: `llama-${index}` }, notes: null } }),
    "list, sorted, next page": async (index) => {
      const sort = { field: "size_bytes", direction: "desc" } as const;
      const first = await models.list({ sort, limit: 5 + index });
      return models.list({ sort, limit: 5 + index, cursor: first.nextCursor });
    },
    "list, tags": (index) =>
      models.list({ tags: { all: ["chat"], any: [`t${index}`, "old"], none: [`u${index}`] }, total: true }),
    "list, search": (index) => models.list({ search: `llama-${index}`, limit: 5 + index }),
    "list, short search": (index) => models.list({ search: `-${index % 10}`, limit: 5 + index }),
    count: (index) => models.count({ filter: { author_repo: modelAt(index).authorRepo } }),
    update: (index) => models.update(nameAt(index % 3), { notes: `note ${index}` }),
    changeTags: (index) =>
      models.changeTags(nameAt(0), index % 2 === 0 ? { add: ["fast"] } : { remove: ["fast"] }),
    changeAliases: (index) =>
      models.changeAliases(nameAt(1), index % 2 === 0 ? { add: ["other-name"] } : { remove: ["other-name"] }),
    "create and delete": async (index) => {
      const { modelId } = await models.create({
        ...modelAt(0),
        modelId: `new-${index}`,
        alias: `newer-${index}`,
      });
      await models.delete(modelId);
    },
    files: async (index) => {
      await files.put(nameAt(0), { path: `file-${index}`, role: "weights", sizeBytes: index });
      await files.list(nameAt(0));
      await files.delete(nameAt(0), `file-${index}`);
    },
    runs: async (index) => {
      const { token } = await runs.acquire(nameAt(index), { holder: "bench" });
      await runs.renew(token);
      await runs.list({ name: nameAt(index) });
      await runs.release(token);
    },
    history: (index) =>
      history.list({ modelId: idAt(index), since: index, until: 2e12 + index, limit: 5 + index }),
    modelAt: (index) => history.modelAt(idAt(index % 3), Date.now()),
  };
}
