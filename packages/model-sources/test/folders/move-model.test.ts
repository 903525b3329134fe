import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { NewModelFile } from "@cortex/model-db";
import { describe, expect, test, vi } from "vitest";

import type { ModelsFolder } from "../../src/folders/models-folder.ts";
import { moveModel } from "../../src/folders/move-model.ts";
import { RegistryFolder } from "../registry-folder.ts";

vi.setConfig({ testTimeout: 300_000 });

const MOVER = fileURLToPath(new URL("../processes/folder-mover.ts", import.meta.url));
const WEIGHTS = "huggingface.co/org/repo/a.gguf";
const YML = "huggingface.co/org/repo/a.yml";
const SOURCE = "https://example.org/a.gguf";

const foldersIn = (folder: RegistryFolder): ModelsFolder[] =>
  ["models", "other"].map((name) => ({ path: folder.at(name), isWritable: true }));

/** A model that was pulled, with the old program's file beside it. */
async function pulled(folder: RegistryFolder): Promise<void> {
  const weights = folder.write(`models/${WEIGHTS}`, "weights", { source: SOURCE });
  const yml = folder.write(
    `models/${YML}`,
    `id: a # kept\nmodel: a\nfiles:\n  - models/${WEIGHTS}\nngl: 33\n`,
    { role: "config", source: SOURCE, sha256: null, sizeBytes: null },
  );
  await folder.registry.models.create({
    modelId: "a",
    sourceType: "huggingface",
    alias: null,
    configPath: `models/${YML}`,
    files: [weights, yml],
  });
}

async function expectRefusal(code: string, work: Promise<unknown>): Promise<void> {
  await expect(work).rejects.toThrow(expect.objectContaining({ code }));
}

describe("a model that is moved", () => {
  test("takes nothing along that somebody has put in its old place since", async () => {
    await using folder = await RegistryFolder.create();
    await pulled(folder);
    const move = () => moveModel(folder.registry, "a", folder.at("other"), { folders: foldersIn(folder) });
    await move();
    // Times on the disk are coarser than those of the history.
    const later = Date.now() / 1000 + 10;
    for (const [name, text] of [
      [WEIGHTS, "weights"],
      [YML, "mine"],
    ] as const) {
      folder.write(`models/${name}`, text);
      utimesSync(folder.at(`models/${name}`), later, later);
    }
    expect(await move()).toMatchObject({ files: [], leftOver: [] });
    expect(readFileSync(folder.at(`models/${WEIGHTS}`), "utf8")).toBe("weights");
    expect(readFileSync(folder.at(`models/${YML}`), "utf8")).toBe("mine");
  });

  test("is below the other folder as it was below the first, and old clients find it there", async () => {
    await using folder = await RegistryFolder.create();
    await pulled(folder);
    const { ino } = statSync(folder.at(`models/${WEIGHTS}`));
    const moved = await moveModel(folder.registry, "a", folder.at("other"), { folders: foldersIn(folder) });
    expect(moved).toMatchObject({ copiedBytes: 0, leftOver: [] });
    expect(await folder.registry.files.list("a")).toMatchObject([
      { path: folder.at(`other/${WEIGHTS}`), role: "weights", source: SOURCE },
      { path: folder.at(`other/${YML}`), role: "config", source: SOURCE },
    ]);
    expect((await folder.registry.models.get("a")).configPath).toBe(`other/${YML}`);
    expect(statSync(folder.at(`other/${WEIGHTS}`)).ino).toBe(ino);
    expect(readFileSync(folder.at(`other/${YML}`), "utf8")).toBe(
      `id: a # kept\nmodel: a\nfiles:\n  - other/${WEIGHTS}\nngl: 33\n`,
    );
    expect(readdirSync(folder.at("models"))).toEqual([]);
    const { items } = await folder.registry.history.list({ modelId: "a" });
    expect(items.map(({ kind }) => kind)).toEqual(["updated", "files_changed", "created"]);
  });

  test("is only looked at where that is wanted", async () => {
    await using folder = await RegistryFolder.create();
    await pulled(folder);
    const options = { folders: foldersIn(folder), dryRun: true };
    const { files } = await moveModel(folder.registry, "a", folder.at("other"), options);
    expect(files).toHaveLength(2);
    expect(existsSync(folder.at("other"))).toBe(false);
    expect((await folder.registry.models.get("a")).rowVersion).toBe(1);
  });

  test("leaves to other models what they have too", async () => {
    await using folder = await RegistryFolder.create();
    await pulled(folder);
    const [weights] = (await folder.registry.files.list("a")) as [NewModelFile];
    await folder.model("b", weights);
    await moveModel(folder.registry, "a", folder.at("other"), { folders: foldersIn(folder) });
    expect(readFileSync(folder.at(`models/${WEIGHTS}`), "utf8")).toBe("weights");
    expect(readFileSync(folder.at(`other/${WEIGHTS}`), "utf8")).toBe("weights");
  });

  test("is refused while it runs", async () => {
    await using folder = await RegistryFolder.create();
    await pulled(folder);
    await folder.registry.runs.acquire("a", { holder: "llama-server" });
    await expectRefusal(
      "model_running",
      moveModel(folder.registry, "a", folder.at("other"), { folders: foldersIn(folder) }),
    );
    expect(existsSync(folder.at(`models/${WEIGHTS}`))).toBe(true);
  });

  test("is refused where a file is not ours, and then no file is touched", async () => {
    await using folder = await RegistryFolder.create();
    const [ours, adopted] = [
      folder.write("models/a.gguf", "weights", { source: SOURCE }),
      folder.write("models/b.gguf", "weights", { source: null }),
    ];
    await folder.model("a", ours, adopted);
    const elsewhere = folder.write("elsewhere/c.gguf", "weights", { source: SOURCE });
    await folder.model("c", elsewhere);
    for (const name of ["a", "c"]) {
      await expectRefusal(
        "permission_denied",
        moveModel(folder.registry, name, folder.at("other"), { folders: foldersIn(folder) }),
      );
    }
    expect(readdirSync(folder.at("models"))).toEqual(["a.gguf", "b.gguf"]);
    expect(existsSync(folder.at("other"))).toBe(false);
  });

  test("leaves nothing in the new place when it is given up", async () => {
    await using folder = await RegistryFolder.create();
    await pulled(folder);
    // Given up at the second file.
    let looks = 0;
    const signal = Object.assign(new AbortController().signal, {
      throwIfAborted: () => {
        if (looks++ > 0) throw new Error("given up");
      },
    });
    const work = moveModel(folder.registry, "a", folder.at("other"), { folders: foldersIn(folder), signal });
    await expect(work).rejects.toThrow("given up");
    expect(allFiles(folder.at("other"))).toEqual([]);
    expect(readFileSync(folder.at(`models/${WEIGHTS}`), "utf8")).toBe("weights");
  });

  test("goes to no other folder than a models folder that can be written, and overwrites nothing", async () => {
    await using folder = await RegistryFolder.create();
    await pulled(folder);
    const [models, other] = foldersIn(folder) as [ModelsFolder, ModelsFolder];
    const readOnly = { ...other, isWritable: false };
    const move = (target: string, folders: ModelsFolder[]): Promise<unknown> =>
      moveModel(folder.registry, "a", target, { folders });
    await expectRefusal("invalid_input", move(folder.at("elsewhere"), [models, other]));
    await expectRefusal("read_only", move(other.path, [models, readOnly]));
    folder.write(`other/${WEIGHTS}`, "somebody else's");
    await expectRefusal("name_taken", move(other.path, [models, other]));
    expect(readFileSync(folder.at(`other/${WEIGHTS}`), "utf8")).toBe("somebody else's");
    rmSync(folder.at("other"), { recursive: true });
    folder.write(`other/${YML}`, "somebody else's");
    await expectRefusal("name_taken", move(other.path, [models, other]));
    expect(allFiles(folder.at("other"))).toEqual([folder.at(`other/${YML}`)]);
    expect(readFileSync(folder.at(`other/${YML}`), "utf8")).toBe("somebody else's");
    rmSync(folder.at("other"), { recursive: true });
    mkdirSync(folder.at("other"));
    writeFileSync(folder.at("other/huggingface.co"), "no folder");
    await expectRefusal("name_taken", move(other.path, [models, other]));
    expect(readFileSync(folder.at(`models/${WEIGHTS}`), "utf8")).toBe("weights");
  });
});

describe.each([
  ["on one file system", ""],
  ["without links", "apart"],
])("a move that is killed %s", (_title, apart) => {
  test("at any change of the disk loses nothing, and the next one finishes it", async () => {
    let number = 0;
    for (let isKilled = true; isKilled; number += 1) {
      await using folder = await RegistryFolder.create();
      await pulled(folder);
      const { registry } = folder;
      const [from, to] = [folder.at("models"), folder.at("other")];
      const mover = [MOVER, registry.location, from, to, `${number}`, apart];
      const { signal, status, stderr } = spawnSync(
        process.execPath,
        ["--conditions=@cortex/source", ...mover],
        { encoding: "utf8" },
      );
      expect(signal ?? status, stderr).toBeOneOf(["SIGKILL", 0]);
      isKilled = signal === "SIGKILL";
      for (const { path, role } of await registry.files.list("a")) {
        const text = readFileSync(path, "utf8");
        expect(role === "config" ? text.split("\n")[1] : text, `killed at ${number}`).toBe(
          role === "config" ? "model: a" : "weights",
        );
      }
      await moveModel(registry, "a", to, { folders: foldersIn(folder) });
      expect(allFiles(from), `killed at ${number}`).toEqual([]);
      expect(allFiles(to), `killed at ${number}`).toEqual([
        folder.at(`other/${WEIGHTS}`),
        folder.at(`other/${YML}`),
      ]);
    }
    expect(number).toBeGreaterThan(5);
  });
});

function allFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
}
