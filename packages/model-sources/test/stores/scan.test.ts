import { linkSync, renameSync, rmSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { llamaFile } from "@cortex/test-models";
import {
  addToCortexCpp,
  addToJan,
  contentOf,
  HuggingFaceCache,
  OllamaStore,
  writeTo,
} from "@cortex/test-stores";
import { describe, expect, test } from "vitest";

import { applyChanges, type ScanChanges } from "../../src/stores/apply-changes.ts";
import { planChanges, type ScanPlan } from "../../src/stores/plan-changes.ts";
import { scan, type Scan } from "../../src/stores/scan.ts";
import { RegistryFolder } from "../registry-folder.ts";

const COMMIT = "c".repeat(40);
// As large as a file is from which a sample and not the whole is read.
const ROOM = Buffer.alloc(400_000);
const FIRST = contentOf(Buffer.concat([llamaFile({ "general.name": "First" }), ROOM]));
const SECOND = contentOf(Buffer.concat([llamaFile({ "general.name": "Other" }), ROOM]));

/** A machine with a registry on it, and the stores of other tools in a home folder. */
class Machine implements AsyncDisposable {
  readonly folder: RegistryFolder;

  private constructor(folder: RegistryFolder) {
    this.folder = folder;
  }

  static async create(): Promise<Machine> {
    return new Machine(await RegistryFolder.create());
  }

  home(...names: readonly string[]): string {
    return join(this.folder.at("home"), ...names);
  }

  get huggingFace(): HuggingFaceCache {
    return new HuggingFaceCache(this.home(".cache", "huggingface", "hub"));
  }

  get ollama(): OllamaStore {
    return new OllamaStore(this.home(".ollama", "models"));
  }

  async scan(keep = true): Promise<Scan> {
    const { registry } = this.folder;
    return scan({
      surroundings: { env: {}, home: this.home(), platform: "darwin" },
      location: registry.location,
      registry,
      keep,
    });
  }

  async adopt(again = false): Promise<{ found: Scan; plan: ScanPlan; changes: ScanChanges }> {
    const found = await this.scan();
    const plan = await planChanges(found, this.folder.registry, { adopt: true, again });
    return { found, plan, changes: await applyChanges(this.folder.registry, plan, found.contents) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

describe("what is on a machine", () => {
  test("is shown with what it shares, each file counted once", async () => {
    await using machine = await Machine.create();
    const { huggingFace, ollama } = machine;
    huggingFace.snapshot("org/repo", COMMIT, [{ path: "a.gguf", content: FIRST }], ["main"]);
    ollama.add("registry.example/library/first/latest", { model: FIRST });
    FIRST.write(machine.home(".lmstudio/models/org/repo/a.gguf"));
    linkSync(
      machine.home(".lmstudio/models/org/repo/a.gguf"),
      machine.home(".lmstudio/models/org/repo/same.gguf"),
    );
    SECOND.write(machine.home(".lmstudio/models/org/other/b.gguf"));
    const { inventory } = await machine.scan();
    const groups = new Map(inventory.models.map(({ store, name, sameAs }) => [`${store} ${name}`, sameAs]));
    expect(Object.fromEntries(groups)).toEqual({
      "huggingface org/repo/a.gguf": 1,
      "ollama first:latest": 1,
      "lm-studio org/other/b.gguf": null,
      "lm-studio org/repo/a.gguf": 1,
      "lm-studio org/repo/same.gguf": 1,
    });
    expect(inventory.repeatedBytes).toBe(2 * FIRST.sizeBytes);
    const config = inventory.models.find(({ store }) => store === "ollama")!.files.at(-1)!.sizeBytes!;
    expect(inventory.sizeBytes).toBe(3 * FIRST.sizeBytes + SECOND.sizeBytes + config);
    expect(inventory.findings).toEqual([]);
  });

  test("is shown but for what has a name that no registry can hold, which is said", async () => {
    await using machine = await Machine.create();
    const odd = ["line\nbreak.gguf", "ring\u0007/c.gguf", "\u202efgug.gguf"];
    for (const name of ["a.gguf", ...odd]) FIRST.write(machine.home(".lmstudio/models", name));
    writeTo(machine.home(".lmstudio/models/ /config.json"), "{}");
    FIRST.write(machine.home(".lmstudio/models/ /model.safetensors"));
    machine.ollama.add("registry.example/library/o\nl/latest", { model: FIRST });
    const { inventory } = await machine.scan();
    expect(inventory.models.map(({ name }) => name)).toEqual(["a.gguf"]);
    const endings = ["models/o\nl:latest", "models/ ", ...odd];
    expect(inventory.findings.map(({ path }) => endings.find((ending) => path.endsWith(ending)))).toEqual(
      expect.arrayContaining(endings),
    );
    expect(inventory.findings[0]?.problem).toMatch(/^has a name that the registry cannot hold/);
  });

  test("is told apart by all of the content where its beginning and its size are the same", async () => {
    await using machine = await Machine.create();
    const other = Buffer.concat([llamaFile({ "general.name": "First" }), ROOM]);
    // Between the parts that a sample takes.
    other[100_000] = 1;
    FIRST.write(machine.home(".lmstudio/models/org/repo/a.gguf"));
    writeTo(machine.home(".lmstudio/models/org/repo/b.gguf"), other);
    const { inventory } = await machine.scan();
    expect(inventory.models.map(({ sameAs }) => sameAs)).toEqual([null, null]);
  });

  test("is read once: what was found is kept until a file is written to", async () => {
    await using machine = await Machine.create();
    const [one, two] = ["a", "b"].map((name) => machine.home(`.lmstudio/models/org/repo/${name}.gguf`));
    const written = new Date("2026-01-31T12:00:00Z");
    for (const path of [one!, two!]) {
      FIRST.write(path);
      utimesSync(path, written, written);
    }
    expect((await machine.scan()).inventory.models.map(({ sameAs }) => sameAs)).toEqual([1, 1]);
    const kept = await machine.folder.registry.fileDigests.findMany([one!, two!]);
    expect([...kept.values()].map(({ sha256 }) => sha256)).toEqual([FIRST.sha256, FIRST.sha256]);
    // Nobody would notice other content behind the same size and time: so it was not read again.
    writeFileSync(two!, Buffer.alloc(FIRST.sizeBytes));
    utimesSync(two!, written, written);
    expect((await machine.scan()).inventory.models.map(({ sameAs }) => sameAs)).toEqual([1, 1]);
    utimesSync(two!, written, new Date(written.getTime() + 1000));
    expect((await machine.scan()).inventory.models.map(({ sameAs }) => sameAs)).toEqual([null, null]);
  });

  test("is not written down where that is not wanted", async () => {
    await using machine = await Machine.create();
    for (const name of ["a", "b"]) FIRST.write(machine.home(`.lmstudio/models/org/repo/${name}.gguf`));
    await machine.scan(false);
    const path = machine.home(".lmstudio/models/org/repo/a.gguf");
    expect((await machine.folder.registry.fileDigests.findMany([path])).size).toBe(0);
  });
});

describe("adopting", () => {
  test("registers what is new where it lies, once, with what its files and its store say", async () => {
    await using machine = await Machine.create();
    const { huggingFace, ollama, folder } = machine;
    huggingFace.snapshot("org/repo", COMMIT, [{ path: "a.Q4_K_M.gguf", content: FIRST }], ["main"]);
    ollama.add("registry.example/library/first/latest", { model: FIRST });
    ollama.add("registry.example/library/second/latest", {
      model: SECOND,
      template: contentOf("{{ .Prompt }}"),
    });
    writeTo(machine.home(".lmstudio/models/org/repo/damaged.gguf"), "no model");
    const { changes, plan } = await machine.adopt();
    expect(changes.adopted).toEqual(["org:repo:a.Q4_K_M.gguf", "second:latest"]);
    expect(plan.refused.map(({ found }) => found.name)).toEqual(["org/repo/damaged.gguf"]);
    const path = huggingFace.path("org/repo", COMMIT, "a.Q4_K_M.gguf");
    expect(await folder.registry.models.get("org:repo:a.Q4_K_M.gguf")).toMatchObject({
      sourceType: "huggingface",
      authorRepo: "org",
      branch: "main",
      availability: "present",
      format: "gguf",
      architecture: "llama",
      sizeBytes: FIRST.sizeBytes,
      metadata: {
        name: "First",
        store: { name: "huggingface", model: "org/repo/a.Q4_K_M.gguf" },
        source: { repository: "org/repo", commit_id: COMMIT },
      },
    });
    expect(await folder.registry.files.list("org:repo:a.Q4_K_M.gguf")).toMatchObject([
      { path, role: "weights", sha256: FIRST.sha256, source: null },
    ]);
    expect((await folder.registry.files.list("second:latest")).map(({ role }) => role).toSorted()).toEqual([
      "template",
      "weights",
    ]);
    const { items } = await folder.registry.history.list();
    expect(items.map(({ kind, actor }) => [kind, actor])).toEqual([
      ["created", "test"],
      ["created", "test"],
    ]);
    expect((await machine.adopt()).changes.adopted).toEqual([]);
  });

  test("keeps the ids of the old cortex program, and what its clients look up", async () => {
    await using machine = await Machine.create();
    const path = "huggingface.co/org/repo/a.gguf";
    addToCortexCpp(machine.home("cortexcpp"), "org:repo:a.gguf", path, "a.yml", FIRST);
    expect((await machine.adopt()).changes.adopted).toEqual(["org:repo:a.gguf"]);
    expect(await machine.folder.registry.models.get("org:repo:a.gguf")).toMatchObject({
      sourceType: "huggingface",
      authorRepo: "org",
      branch: "main",
      configPath: machine.home("cortexcpp/models/huggingface.co/org/repo/a.yml"),
    });
  });

  test("finds another name where the one that a model would have is taken", async () => {
    await using machine = await Machine.create();
    await machine.folder.registry.models.create({ modelId: "first:latest", sourceType: "remote" });
    machine.ollama.add("registry.example/library/first/latest", { model: FIRST });
    expect((await machine.adopt()).changes.adopted).toEqual(["ollama/first:latest"]);
  });

  test("knows a model that was imported or pulled by its content", async () => {
    await using machine = await Machine.create();
    const file = machine.folder.write(
      "elsewhere/a.gguf",
      Buffer.concat([llamaFile({ "general.name": "First" }), ROOM]),
    );
    await machine.folder.model("mine", file);
    machine.ollama.add("registry.example/library/first/latest", { model: FIRST });
    const { found, changes } = await machine.adopt();
    expect(found.inventory.models.map(({ known }) => known)).toEqual([{ modelId: "mine", by: "digest" }]);
    expect(changes.adopted).toEqual([]);
  });

  test("brings nothing back that somebody has taken out, unless asked to", async () => {
    await using machine = await Machine.create();
    const { registry } = machine.folder;
    machine.ollama.add("registry.example/library/first/latest", { model: FIRST });
    await machine.adopt();
    await registry.models.delete("first:latest");
    // The same content elsewhere is the same model.
    FIRST.write(machine.home(".lmstudio/models/org/repo/a.gguf"));
    const { changes, plan } = await machine.adopt();
    expect(changes.adopted).toEqual([]);
    expect(plan.removed.map(({ name }) => name)).toEqual(["first:latest"]);
    expect((await machine.adopt(true)).changes.adopted).toEqual(["first:latest"]);
  });

  test("registers the others where a file claims what no record could hold, or its name is framed by blanks", async () => {
    await using machine = await Machine.create();
    const odd = llamaFile({ "general.architecture": "ll\nama" });
    for (const [name, content] of [
      [" odd.gguf", odd],
      ["whole.gguf", llamaFile()],
    ] as const)
      writeTo(machine.home(".lmstudio/models", name), content);
    expect((await machine.adopt()).changes.adopted).toEqual(["odd.gguf", "whole.gguf"]);
    expect(await machine.folder.registry.models.get("odd.gguf")).toMatchObject({ architecture: null });
    expect(await machine.folder.registry.models.get("whole.gguf")).toMatchObject({ architecture: "llama" });
  });

  test("leaves alone what is not whole", async () => {
    await using machine = await Machine.create();
    const { huggingFace } = machine;
    huggingFace.snapshot("org/repo", COMMIT, [{ path: "a-00001-of-00002.gguf", content: FIRST }], ["main"]);
    huggingFace.snapshot("org/old", COMMIT, [{ path: "b.gguf", content: SECOND }]);
    rmSync(addToJan(machine.home("Library/Application Support/Jan/data"), "gone", FIRST));
    const { found, changes } = await machine.adopt();
    expect(found.inventory.models.map(({ state }) => state)).toEqual(["detached", "partial", "broken"]);
    expect(changes.adopted).toEqual([]);
  });
});

describe("scanning again", () => {
  test("says what is gone and what is there again, and forgets no model", async () => {
    await using machine = await Machine.create();
    const { registry } = machine.folder;
    const path = machine.home(".lmstudio/models/org/repo/a.gguf");
    FIRST.write(path);
    await machine.adopt();
    renameSync(path, machine.folder.at("hidden"));
    expect((await machine.adopt()).changes).toMatchObject({ missing: ["org:repo:a.gguf"], adopted: [] });
    expect((await registry.models.get("org:repo:a.gguf")).availability).toBe("missing");
    renameSync(machine.folder.at("hidden"), path);
    expect((await machine.adopt()).changes).toMatchObject({ present: ["org:repo:a.gguf"], adopted: [] });
    const { items } = await registry.history.list({ modelId: "org:repo:a.gguf", order: "asc" });
    expect(items.map(({ kind, after }) => [kind, after!["availability"]])).toEqual([
      ["created", "present"],
      ["updated", "missing"],
      ["updated", "present"],
    ]);
  });

  test("finds a file that was moved or renamed, by its content alone", async () => {
    await using machine = await Machine.create();
    const { registry } = machine.folder;
    const path = machine.home(".lmstudio/models/org/repo/a.gguf");
    const elsewhere = machine.home(".lmstudio/models/new/place/b.gguf");
    FIRST.write(path);
    await machine.adopt();
    // A copy has another inode: only the content is the same.
    FIRST.write(elsewhere);
    unlinkSync(path);
    const { changes } = await machine.adopt();
    expect(changes).toMatchObject({
      moved: [{ modelId: "org:repo:a.gguf", from: path, to: elsewhere }],
      adopted: [],
    });
    expect(await registry.files.list("org:repo:a.gguf")).toMatchObject([{ path: elsewhere, source: null }]);
    expect((await registry.models.get("org:repo:a.gguf")).availability).toBe("present");
  });

  test("does not take a file for ours that somebody else has put in a models folder", async () => {
    await using machine = await Machine.create();
    const { folder } = machine;
    const bytes = Buffer.concat([llamaFile({ "general.name": "First" }), ROOM]);
    const ours = folder.write("models/a.gguf", bytes, { source: "https://example.org/a.gguf" });
    await folder.model("a", ours);
    const theirs = folder.write("models/by-hand/b.gguf", bytes);
    unlinkSync(ours.path);
    expect((await machine.adopt()).changes.moved).toEqual([
      { modelId: "a", from: ours.path, to: theirs.path },
    ]);
    expect(await folder.registry.files.list("a")).toMatchObject([{ path: theirs.path, source: null }]);
  });

  test("records anew what a tool has put in the place of its own file, and nothing whose content was recorded", async () => {
    await using machine = await Machine.create();
    const { folder } = machine;
    const path = machine.home(".lmstudio/models/org/repo/a.gguf");
    FIRST.write(path);
    await machine.adopt();
    const known = folder.write("elsewhere/b.gguf", "known", { source: null });
    await folder.model("b", known);
    const newer = Buffer.concat([llamaFile({ "general.name": "Newer" }), ROOM, ROOM]);
    writeFileSync(path, newer);
    writeFileSync(known.path, "replaced");
    expect((await machine.adopt()).changes).toMatchObject({ renewed: ["org:repo:a.gguf"], partial: ["b"] });
    expect(await folder.registry.models.get("org:repo:a.gguf")).toMatchObject({
      availability: "present",
      sizeBytes: newer.length,
      metadata: { name: "Newer", store: { name: "lm-studio" } },
    });
    expect(await folder.registry.files.list("org:repo:a.gguf")).toMatchObject([
      { path, sizeBytes: newer.length, sha256: null, verifiedAt: null },
    ]);
    expect((await machine.adopt()).changes).toMatchObject({ renewed: [], missing: [], partial: [] });
  });

  test("takes a file of the same size for another", async () => {
    await using machine = await Machine.create();
    const path = machine.home(".lmstudio/models/org/repo/a.gguf");
    FIRST.write(path);
    await machine.adopt();
    unlinkSync(path);
    SECOND.write(machine.home(".lmstudio/models/org/repo/b.gguf"));
    const { changes } = await machine.adopt();
    expect(changes).toMatchObject({ moved: [], missing: ["org:repo:a.gguf"], adopted: ["org:repo:b.gguf"] });
  });

  test("leaves a model alone that somebody has changed meanwhile", async () => {
    await using machine = await Machine.create();
    const { registry } = machine.folder;
    const path = machine.home(".lmstudio/models/org/repo/a.gguf");
    FIRST.write(path);
    await machine.adopt();
    unlinkSync(path);
    const found = await machine.scan();
    const plan = await planChanges(found, registry, { adopt: false, again: false });
    await registry.models.update("org:repo:a.gguf", { notes: "mine" });
    expect((await applyChanges(registry, plan, found.contents)).missing).toEqual([]);
    expect((await registry.models.get("org:repo:a.gguf")).availability).toBe("present");
  });
});
