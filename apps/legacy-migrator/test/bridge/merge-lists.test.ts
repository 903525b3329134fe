import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { layOut } from "../../src/bridge/lay-out.ts";
import { formatRow, parseRow, type ListRow } from "../../src/bridge/list-row.ts";
import { readListText } from "../../src/bridge/list-text.ts";
import { mergeLists, rebase, type Merge, type MergeInput } from "../../src/bridge/merge-lists.ts";
import { registered, row } from "./model-of.ts";

function fileOf(rows: readonly ListRow[]): Buffer {
  return Buffer.from(rows.map((one) => `${formatRow(one)}\n`).join(""));
}

/** A merge of a file, from versions of it and what the registry has; where not said, what the newest has. */
function merge(
  versions: readonly (readonly ListRow[])[],
  file: Buffer | readonly ListRow[],
  ours: readonly ListRow[] = versions.at(-1) ?? [],
  rest: Partial<MergeInput> = {},
): Merge {
  return mergeLists({
    bases: versions.map((rows, index) => ({ rows, eventId: index })),
    theirs: readListText(Buffer.isBuffer(file) ? file : fileOf(file)),
    isReplaced: false,
    ours: registered(ours),
    configOf: () => "unknown",
    missing: new Set(),
    isSettled: () => true,
    ...rest,
  });
}

function deletedIds({ deletions }: Merge): string[] {
  return deletions.map(({ modelId }) => modelId);
}

function addedIds({ additions }: Merge): string[] {
  return additions.map(({ text }) => parseRow(text)?.modelId ?? text);
}

function changes({ updates }: Merge): Record<string, unknown> {
  return Object.fromEntries(updates.map(({ modelId, fields }) => [modelId, fields]));
}

function withoutConfig(...modelIds: string[]): MergeInput["configOf"] {
  return ({ modelId }) => (modelIds.includes(modelId) ? "gone" : "there");
}

const NOTHING = { deletions: [], updates: [], additions: [], conflicts: [], kept: [], pending: [] };
const [A, B, C, D, E] = ["a", "b", "c", "d", "e"].map((id) => row(id)) as [
  ListRow,
  ListRow,
  ListRow,
  ListRow,
  ListRow,
];

describe("what a foreign write did is taken over", () => {
  test("the same file again is nothing", () => {
    expect(merge([[A, B]], [A, B])).toMatchObject(NOTHING);
  });

  test("a new line is a new model", () => {
    expect(addedIds(merge([[A]], [A, B]))).toEqual(["b"]);
  });

  test("a changed field is changed, and only that", () => {
    const moved = { ...A, configPath: "/x.yml", alias: "z" };
    expect(changes(merge([[A, B]], [moved, B]))).toEqual({ a: { configPath: "/x.yml", alias: "z" } });
  });

  test("changes of both sides in one line are both kept", () => {
    const [theirs, ours] = [
      { ...A, alias: "theirs" },
      { ...A, author: "ours" },
    ];
    const merged = merge([[A]], [theirs], [ours]);
    expect(changes(merged)).toEqual({ a: { alias: "theirs" } });
    expect(merged.conflicts).toEqual([]);
  });

  test("a line that is gone from between others is a deleted model", () => {
    expect(deletedIds(merge([[A, B, C]], [A, C]))).toEqual(["b"]);
  });

  test("lines that go one after the other are deleted models", () => {
    expect(deletedIds(merge([[A, B, C, D]], [A, D], undefined, { missing: new Set(["b"]) }))).toEqual([
      "b",
      "c",
    ]);
  });

  test("the last line counts as deleted when the YAML of the model went before it", () => {
    const configOf = withoutConfig("c");
    expect(deletedIds(merge([[A, B, C]], [A, B], undefined, { configOf }))).toEqual(["c"]);
    expect(deletedIds(merge([[C]], [], undefined, { configOf }))).toEqual(["c"]);
    expect(merge([[A, B, C, D]], [A, B], undefined, { configOf })).toMatchObject({
      deletions: [{ modelId: "c" }],
      kept: ["d"],
    });
  });

  test("the last line counts as deleted in a file that was replaced as a whole", () => {
    expect(deletedIds(merge([[A, B, C]], [A, B], undefined, { isReplaced: true }))).toEqual(["c"]);
  });

  test("any number of models may go with their YAML", () => {
    const many = Array.from({ length: 50 }, (_, index) => row(`m${index}`));
    const configOf = withoutConfig(...many.slice(1).map(({ modelId }) => modelId));
    expect(merge([many], many.slice(0, 1), undefined, { configOf }).deletions).toHaveLength(49);
  });

  test("a torn file tells of those that went with their YAML, while a line of ours is left in it", () => {
    const configOf = withoutConfig("b", "d");
    const torn = Buffer.concat([fileOf([A]), Buffer.alloc(9), fileOf([C])]);
    const merged = merge([[A, B, C, D, E]], torn, undefined, { configOf });
    expect(merged).toMatchObject({ deletions: [{ modelId: "b" }, { modelId: "d" }], kept: ["c", "e"] });
    expect(merged.distrust).toBeDefined();
    expect(merge([[B]], Buffer.alloc(9), undefined, { configOf })).toMatchObject({
      deletions: [],
      kept: ["b"],
    });
  });

  test("a line in the other spelling of its id is that model", () => {
    const old = row("huggingface.co/A/R/F.gguf");
    const known = row("A:R:F.gguf", { configPath: old.configPath, alias: "f" });
    const merged = merge([[{ ...old, alias: "f" }]], [{ ...old, alias: "g" }], [known]);
    expect(changes(merged)).toEqual({ "huggingface.co/A/R/F.gguf": { alias: "g" } });
    expect(layOut(registered([known]), merged.order).rows).toEqual([{ ...old, alias: "f" }]);
  });
});

describe("conflicts are decided for the registry", () => {
  test.each([
    ["a field that both changed", [{ ...A, alias: "x" }], [{ ...A, alias: "y" }], /alias is "y"/],
    ["a line that was changed, of a model that is gone", [{ ...A, alias: "x" }], [], /deleted from the reg/],
    ["a deletion of what is running", [B], [{ ...A, status: "RUNNING" as const }, B], /running/],
    ["a deletion of what was changed", [B], [{ ...A, alias: "y" }, B], /changed in the registry/],
    ["a status", [{ ...A, status: "RUNNING" as const }], [A], /is READY, and the file says RUNNING/],
  ])("%s", (_what, theirs, ours, why) => {
    const merged = merge([[A, B]], theirs.includes(B) ? theirs : [...theirs, B], [...ours, B]);
    expect(merged).toMatchObject({ deletions: [], updates: [], conflicts: [{ modelId: "a" }] });
    expect(merged.conflicts[0]!.why).toMatch(why);
  });
});

describe("no deletion is", () => {
  const many = Array.from({ length: 40 }, (_, index) => row(`m${index}`));
  test.each<[string, readonly ListRow[], Buffer | readonly ListRow[]]>([
    ["an empty file", [A, B], []],
    ["a file that begins like ours and ends early", [A, B, C], [A, B]],
    ["a file of something else", [A, B], [C, D, E]],
    ["a file in which two lines are missing at once", [A, B, C, D], [A, D]],
    ["a file in which many lines are missing at once", many, many.slice(30)],
    ["a file whose last line has no end", [A, B, C], fileOf([A, C]).subarray(0, -1)],
    [
      "a file with a line that is not whole",
      [A, B, C],
      Buffer.concat([Buffer.from("x y z\n"), fileOf([A, C])]),
    ],
    ["a file with a hole in it", [A, B, C], Buffer.concat([fileOf([A]), Buffer.alloc(9), fileOf([C])])],
    [
      "a file in which the end of a line stands for a line",
      [A, row("long-name"), C],
      Buffer.from(`${formatRow(A)}\n${formatRow(row("long-name")).slice(3)}\n${formatRow(C)}\n`),
    ],
    [
      "a file in which a line stands behind the beginning of another",
      [A, row("long-name"), C],
      Buffer.from(`long${formatRow(A)}\n${formatRow(C)}\n`),
    ],
  ])("%s", (_what, base, file) => {
    const merged = merge([base], file);
    expect(merged.deletions).toEqual([]);
    expect(merged.pending).toEqual([]);
    expect(merged.distrust).toBeDefined();
  });

  test("another file in the place of ours, with none of its lines", () => {
    expect(deletedIds(merge([[A]], [], undefined, { isReplaced: true }))).toEqual([]);
    expect(deletedIds(merge([[A]], [B], undefined, { isReplaced: true }))).toEqual([]);
  });

  test("a line that has not been missing for long: it stays away meanwhile", () => {
    const merged = merge([[A, B, C]], [A, C], undefined, { isSettled: () => false });
    expect(merged).toMatchObject({ deletions: [], pending: ["b"], kept: [] });
  });

  test("a line whose YAML is there: the old program would have removed it first", () => {
    const merged = merge([[A, B, C, D]], [A, D], undefined, { configOf: withoutConfig("b") });
    expect(merged).toMatchObject({ deletions: [{ modelId: "b" }], kept: ["c"] });
  });

  test("what we added while an older file was being rewritten", () => {
    const merged = merge(
      [
        [A, B],
        [A, B, C],
      ],
      [A, B, D],
    );
    expect(deletedIds(merged)).toEqual([]);
    expect(addedIds(merged)).toEqual(["d"]);
    expect(merged.distrust).toBeUndefined();
  });
});

describe("a program that read an older version", () => {
  test("does not bring back what we deleted since", () => {
    expect(
      addedIds(
        merge(
          [
            [A, B, C],
            [A, C],
          ],
          [A, B, C, D],
        ),
      ),
    ).toEqual(["d"]);
  });

  test("does not take back what we changed since", () => {
    const renamed = { ...A, alias: "new" };
    const merged = merge(
      [
        [A, B],
        [renamed, B],
      ],
      [A, B, C],
    );
    expect(merged).toMatchObject({ updates: [], conflicts: [] });
  });

  test("that read the newer one may register anew what we deleted", () => {
    expect(
      addedIds(
        merge(
          [
            [A, B, C],
            [A, C],
          ],
          [A, C, B],
        ),
      ),
    ).toEqual(["b"]);
  });

  test("knows what its like wrote: a line may be changed twice", () => {
    const [once, twice] = [
      { ...A, alias: "once" },
      { ...A, alias: "twice" },
    ];
    const first = merge([[A], [A, B]], [once, B]);
    const bases = rebase(
      [[A], [A, B]].map((rows) => ({ rows, eventId: 0 })),
      first,
      [],
    );
    const second = merge(
      bases.map(({ rows }) => rows),
      [twice, B],
      [once, B],
    );
    expect(changes(second)).toEqual({ a: { alias: "twice" } });
  });
});

test("lines keep their order, ones that come back stand where they stood, new ones come last", () => {
  const merged = merge([[A, B, C, D]], [A, D, E], [A, B, C, D, row("ours")], { isSettled: () => false });
  const after = layOut(registered([A, B, C, D, row("ours"), E]), merged.order);
  expect(after.rows.map(({ modelId }) => modelId)).toEqual(["a", "b", "c", "d", "e", "ours"]);
});

test("a model that no line can hold is left out, and named", () => {
  const spaced = [
    row("a b"),
    row("b", { alias: "x y" }),
    row("c", { configPath: "/My Models/c.yml" }),
    row("d", { branch: "\t" }),
    row("e", { author: "x\u001b" }),
  ];
  const { rows, leftOut } = layOut(
    registered([A, ...spaced.slice(0, 4), { ...spaced[4]!, modelId: "f" }]),
    [],
  );
  expect(rows).toEqual([A]);
  expect([...leftOut.keys()]).toEqual(["a b", "b", "c", "d", "f"]);
});

// Names that meet in every way: one begins or ends like another.
const ids = fc.uniqueArray(fc.stringMatching(/^[ab]{1,4}:?[ab]{0,3}$/), { minLength: 1, maxLength: 12 });
const rows = ids.map((list) => list.map((id) => row(id)));

describe("whatever happens", () => {
  test("a file that was cut anywhere deletes nothing and changes nothing", () => {
    fc.assert(
      fc.property(rows, fc.nat(), (base, at) => {
        const whole = fileOf(base);
        const merged = merge([base], whole.subarray(0, at % (whole.length + 1)));
        expect(merged).toMatchObject({ deletions: [], updates: [], additions: [] });
      }),
    );
  });

  test("two programs that write at once, and die, delete and change only what they meant to", () => {
    fc.assert(
      fc.property(
        rows.filter((list) => list.length > 1),
        fc.array(fc.tuple(fc.constantFrom("add", "delete", "alias"), fc.nat()), {
          minLength: 2,
          maxLength: 2,
        }),
        fc.infiniteStream(fc.boolean()),
        fc.nat(60),
        (base, wishes, turns, steps) => {
          const written = race(base, wishes, turns, steps);
          const merged = merge([base], written.file, base, { configOf: withoutConfig(...written.deleted) });
          const meant = new Set(written.deleted);
          expect(deletedIds(merged).filter((id) => !meant.has(id))).toEqual([]);
          for (const { modelId, fields } of merged.updates) {
            expect(written.aliases[modelId] ?? []).toContain(fields.alias);
            expect(Object.keys(fields)).toEqual(["alias"]);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("changes of both sides are all there afterwards, whichever version the other one had read", () => {
    fc.assert(
      fc.property(
        rows.filter((list) => list.length > 2),
        fc.array(fc.tuple(fc.constantFrom("add", "delete", "alias"), fc.nat()), { maxLength: 6 }),
        fc.constantFrom("add", "delete", "alias"),
        fc.nat(),
        fc.nat(),
        (base, ourWishes, wish, target, seen) => {
          // What we did, one version of the file after each.
          const versions = [base];
          for (const [index, ours] of ourWishes.entries()) {
            versions.push(change(versions.at(-1)!, ours, `our${index}`).rows);
          }
          const read = versions[seen % versions.length]!;
          const theirs = change(read, [wish, target], "their");
          const now = versions.at(-1)!;
          const merged = merge(versions, theirs.rows, now);
          // Nothing of ours is deleted but what they deleted, and nothing that we deleted comes back.
          expect(deletedIds(merged).filter((id) => id !== theirs.deleted)).toEqual([]);
          expect(addedIds(merged)).toEqual(
            theirs.rows.some(({ modelId }) => modelId === "their") ? ["their"] : [],
          );
          for (const { modelId } of merged.updates) expect(modelId).toBe(theirs.renamed);
          const touched = [...merged.updates, ...merged.conflicts].map(({ modelId }) => modelId);
          expect(touched).toEqual(theirs.renamed === undefined ? touched : [theirs.renamed]);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

type Wish = readonly [kind: string, target: number];

/** A change as the old program makes one: a new line comes last, and the last line is not deleted. */
function change(
  base: readonly ListRow[],
  [kind, target]: Wish,
  name: string,
): { rows: ListRow[]; deleted?: string; renamed?: string } {
  if (kind === "add" || base.length < 2) return { rows: [...base, row(name)] };
  const index = target % (base.length - 1);
  const { modelId } = base[index]!;
  if (kind === "delete") return { rows: base.filter((_, at) => at !== index), deleted: modelId };
  return {
    rows: base.map((one, at) => (at === index ? { ...one, alias: `${name}-alias` } : one)),
    renamed: modelId,
  };
}

/**
 * Two programs that read the same list and rewrite the file in place, a line at a time and in turns: each
 * truncates it when it begins, and writes at the position that it has come to.
 */
function race(
  base: readonly ListRow[],
  wishes: readonly Wish[],
  turns: fc.Stream<boolean>,
  steps: number,
): { file: Buffer; deleted: string[]; aliases: Record<string, string[]> } {
  const deleted: string[] = [];
  const aliases: Record<string, string[]> = {};
  const writers = wishes.map((wish, index) => {
    const { rows: list, deleted: gone, renamed } = change(base, wish, `new${index}`);
    if (gone !== undefined) deleted.push(gone);
    if (renamed !== undefined) (aliases[renamed] ??= []).push(`new${index}-alias`);
    return { lines: list.map((one) => Buffer.from(`${formatRow(one)}\n`)), at: 0, position: -1 };
  });
  let file = fileOf(base);
  for (let step = 0; step < steps; step++) {
    const writer = writers[turns.next().value === true ? 0 : 1]!;
    if (writer.position === -1) {
      [file, writer.position] = [Buffer.alloc(0), 0];
      continue;
    }
    const line = writer.lines[writer.at++];
    if (line === undefined) continue;
    const end = writer.position + line.length;
    if (file.length < end) file = Buffer.concat([file, Buffer.alloc(end - file.length)]);
    line.copy(file, writer.position);
    writer.position = end;
  }
  return { file, deleted, aliases };
}
