import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { openRegistry, type Registry } from "@cortex/model-db";
import { OldTextStore } from "@cortex/old-program";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";

import { writeFile, writeModel, writeModelList } from "../old-data.ts";
import { registryModels } from "../registry-models.ts";
import { environment, runProgram } from "../run-program.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { BridgeProcess } from "./bridge-process.ts";

// Most tests start processes and wait for files to come to rest, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

const THREE = "a x main /1.yml one READY\nb x main /2.yml two READY\nc x main /3.yml three READY\n";

let home: string;
let data: string;
let to: string;
let list: string;
let old: OldTextStore;
beforeEach(() => {
  home = temporaryFolder();
  data = join(home, "cortexcpp");
  to = join(home, "registry.db");
  list = writeModelList(data, THREE);
  old = new OldTextStore(list);
});

async function started(): Promise<BridgeProcess> {
  const bridge = new BridgeProcess(home, list, to);
  // The first thing that it writes down when the file and the registry have met.
  await bridge.until("the first meeting", () => existsSync(join(`${list}.bridge`, "bases.json")));
  return bridge;
}

async function registryOf(): Promise<Registry> {
  const registry = await openRegistry(to, { actor: "test", busyTimeoutMs: 30_000 });
  onTestFinished(() => registry.close());
  return registry;
}

async function ids(): Promise<string[]> {
  return existsSync(to) ? Object.keys(await registryModels(to).catch(() => ({}))).toSorted() : [];
}

function text(): string {
  return existsSync(list) ? readFileSync(list, "utf8") : "";
}

/** Merges once, and leaves. @returns what was said. */
function mergeOnce(...words: string[]): string {
  const { code, out, err } = runProgram(home, "bridge", list, "--to", to, "--once", ...words);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out;
}

function setAside(): string[] {
  const folder = join(`${list}.bridge`, "set-aside");
  return existsSync(folder)
    ? readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"))
    : [];
}

test("a bridge that merges once does not say how to end it", () => {
  mergeOnce();
  expect(mergeOnce().split("\n")[0]).toBe(`${list} and ${to} are brought into step once.`);
});

describe("the first meeting", () => {
  test("migrates the file, and leaves it as it is: same bytes, same order", async () => {
    mergeOnce();
    expect(await ids()).toEqual(["a", "b", "c"]);
    expect(text()).toBe(THREE);
    const registry = await registryOf();
    const { items } = await registry.history.list({ modelId: "a" });
    expect(items).toMatchObject([{ kind: "created", actor: "legacy" }]);
  });

  test("derives of a line what a migration does", async () => {
    const path = "models/cortex.so/tiny/1b/model.yml";
    const yml = writeModel(data, path, "model: tiny\nengine: cortex.llamacpp\nfiles:\n  - models/t.gguf\n", {
      "models/t.gguf": 77,
    });
    writeFileSync(list, `tiny:1b cortexso 1b ${yml} tiny:1b READY\n`);
    mergeOnce();
    expect(await registryModels(to)).toMatchObject({
      "tiny:1b": {
        sourceType: "cortex.so",
        availability: "present",
        sizeBytes: 77,
        engine: "cortex.llamacpp",
      },
    });
  });

  test("brings both sides together; where they differ the registry's word holds", async () => {
    const registry = await registryOf();
    await registry.models.create({ modelId: "b", sourceType: "local", alias: "mine" });
    await registry.models.create({ modelId: "own", sourceType: "local", alias: null });
    mergeOnce();
    expect(await ids()).toEqual(["a", "b", "c", "own"]);
    expect(text()).toBe(
      "a x main /1.yml one READY\nb x main /2.yml mine READY\nc x main /3.yml three READY\nown - - - own READY\n",
    );
  });

  test("can be taken back like a migration", async () => {
    const registry = await registryOf();
    await registry.models.create({ modelId: "own", sourceType: "local" });
    await registry.close();
    mergeOnce();
    expect(runProgram(home, "--rollback", "-y", "--to", to).code).toBe(0);
    expect(await ids()).toEqual(["own"]);
  });

  test("writes Windows line ends, tabs and words behind the sixth as the old program would", () => {
    writeFileSync(list, "a x main /1.yml one READY\r\nb\tx main  /2.yml two RUNNING\n");
    mergeOnce();
    expect(text()).toBe("a x main /1.yml one READY\nb x main /2.yml two READY\n");
  });
});

describe("our changes reach the file", () => {
  test("within a second, as whole lines, new ones last", async () => {
    const bridge = await started();
    const registry = await registryOf();
    await registry.models.create({
      modelId: "new",
      sourceType: "huggingface",
      authorRepo: "me",
      branch: "main",
      configPath: "/new.yml",
    });
    // A busy machine may hold up one change, but not each.
    const tookMs: number[] = [];
    for (const alias of ["k", "l", "m", "n"]) {
      await registry.models.update("new", { alias });
      const at = performance.now();
      await bridge.until("the new line", () => text().endsWith(`new me main /new.yml ${alias} READY\n`));
      tookMs.push(performance.now() - at);
    }
    expect(Math.min(...tookMs)).toBeLessThan(1000);
    await registry.models.update("b", { alias: "zwei" });
    await registry.models.delete("a");
    await registry.runs.acquire("c", { holder: "test", ttlMs: 60_000 });
    await bridge.until(
      "all of it",
      () =>
        text() ===
        "b x main /2.yml zwei READY\nc x main /3.yml three RUNNING\nnew me main /new.yml n READY\n",
    );
    expect(await bridge.end("SIGTERM")).toBe(0);
    expect(bridge.all("stopped")).toMatchObject([{ created: 3, conflicts: 0, kept: 0, set_aside: 0 }]);
  });

  test("a lease that runs out makes it READY in the file, though nobody says so", async () => {
    const bridge = await started();
    const registry = await registryOf();
    await registry.runs.acquire("c", { holder: "test", ttlMs: 6000 });
    await bridge.until("RUNNING", () => text().includes("three RUNNING"));
    await bridge.until("READY", () => text().includes("three READY"));
    expect(text()).toBe(THREE);
  });

  test("the file keeps its rights, and stays the file that a link leads to", async () => {
    mergeOnce();
    chmodSync(list, 0o664);
    const link = join(home, "link.list");
    symlinkSync(list, link);
    const registry = await registryOf();
    await registry.models.delete("a");
    expect(runProgram(home, "bridge", link, "--to", to, "--once").code).toBe(0);
    expect(text()).toBe(THREE.slice(THREE.indexOf("\n") + 1));
    expect(statSync(list).mode & 0o777).toBe(0o664);
    expect(realpathSync(link)).toBe(list);
  });

  test("what a line cannot hold stays out of the file, not out of the registry, and is named once", async () => {
    const bridge = await started();
    const registry = await registryOf();
    await registry.models.create({
      modelId: "my model",
      sourceType: "local",
      configPath: "/My Models/x.yml",
    });
    await bridge.untilEvent("left_out");
    await registry.models.update("b", { alias: "zwei" });
    await bridge.until("the change", () => text().includes("zwei"));
    expect(bridge.all("left_out")).toMatchObject([{ model_id: "my model" }]);
    expect(text()).toBe(THREE.replace("two", "zwei"));
    expect(await ids()).toEqual(["a", "b", "c", "my model"]);
  });
});

describe("what the old program does reaches the registry", () => {
  test("new models, new aliases, deletions: each in the history as legacy", async () => {
    const bridge = await started();
    expect(old.add("d", "/4.yml")).toBe(true);
    expect(old.alias("one", "uno")).toBe(true);
    expect(old.delete("b")).toBe(true);
    await bridge.until("all three", async () => {
      const models = await registryModels(to);
      return "d" in models && models["a"]!.alias === "uno" && !("b" in models);
    });
    const registry = await registryOf();
    const { items } = await registry.history.list({ actor: "legacy", order: "asc" });
    expect(
      items
        .slice(3)
        .map(({ kind, modelId }) => `${kind} ${modelId}`)
        .toSorted(),
    ).toEqual(["aliased a", "created d", "deleted b"]);
    expect(await bridge.end("SIGINT")).toBe(0);
    expect(bridge.all("stopped")).toMatchObject([{ created: 4, updated: 1, deleted: 1, set_aside: 0 }]);
  });

  test("the last line, when its YAML went first", async () => {
    const yml = writeModel(data, "models/imported/d.yml", `model: d\nfiles:\n  - ${join(data, "d.gguf")}\n`, {
      "d.gguf": 10,
    });
    writeFileSync(list, `${THREE}d local imported ${yml} d READY\n`);
    mergeOnce();
    expect((await registryModels(to))["d"]).toMatchObject({ availability: "present" });
    expect(old.delete("d")).toBe(true);
    mergeOnce();
    expect(await ids()).toEqual(["a", "b", "c"]);
  });

  test("lines that came and went while it did not look, each without its YAML already: they are not taken over", async (context) => {
    const bridge = await started();
    const written = text();
    // Nothing is quiet until the old program, slowly, comes to the lines that it takes out.
    let [at, longestMs] = [performance.now(), 0];
    const write = (content: string): void => {
      writeFileSync(list, content);
      longestMs = Math.max(longestMs, performance.now() - at);
      at = performance.now();
    };
    for (let line = 0; line < 8; line++) {
      write(`${written}d x main /4.yml d READY\ne x main /5.yml e READY\n`);
      await sleep(50);
    }
    write(written);
    if (longestMs > 900) context.skip("the machine was too busy to go on writing");
    old.add("f", "/6.yml");
    await bridge.untilEvent("line", 4);
    expect(bridge.all("line").map(({ model_id }) => model_id)).toEqual(["a", "b", "c", "f"]);
    expect(await ids()).toEqual(["a", "b", "c", "f"]);
  });

  test("one deletion in a list that others had torn before, and write back as it is", async () => {
    const ymls = ["d", "e", "f"].map((id) =>
      writeModel(
        data,
        `models/imported/${id}.yml`,
        `model: ${id}\nfiles:\n  - ${join(data, `${id}.gguf`)}\n`,
        {
          [`${id}.gguf`]: 10,
        },
      ),
    );
    const line = (id: string, index: number): string => `${id} local imported ${ymls[index]} ${id} READY\n`;
    const whole = `${THREE}${["d", "e", "f"].map(line).join("")}`;
    writeFileSync(list, whole);
    mergeOnce();
    writeFileSync(list, whole.replace(line("d", 0), "\0".repeat(9)));
    expect(old.delete("e")).toBe(true);
    mergeOnce();
    expect(await ids()).toEqual(["a", "b", "c", "d", "f"]);
    expect(text()).toBe(whole.replace(line("e", 1), ""));
  });

  test("one deletion in a file that did not come to rest before it was merged", async () => {
    const bridge = await started();
    const registry = await registryOf();
    await bridge.until("rest", () => text() === THREE);
    const without = THREE.replace("b x main /2.yml two READY\n", "");
    await registry.models.create({ modelId: "ours", sourceType: "local" });
    const begin = performance.now();
    // Ours is written when the bridge no longer waits; the deletion is then too young to be believed.
    let isDeleted = false;
    while (!isDeleted || !text().includes("ours")) {
      isDeleted = performance.now() - begin >= 2500;
      writeFileSync(list, isDeleted ? without : THREE);
      await sleep(50);
    }
    await bridge.untilEvent("deleted");
    expect(await ids()).toEqual(["a", "c", "ours"]);
    await bridge.until("the file", () => text() === `${without}ours - - - ours READY\n`);
  });

  test("an editor that puts a new file in its place", async () => {
    const bridge = await started();
    writeFileSync(join(home, "edited"), THREE.slice(0, THREE.indexOf("c x")));
    renameSync(join(home, "edited"), list);
    await bridge.untilEvent("deleted");
    expect(await ids()).toEqual(["a", "b"]);
  });

  test("a path with a blank, which the old program corrupts, is whole in the registry", async () => {
    const bridge = await started();
    old.add("spaced", "/My Models/spaced.yml");
    await bridge.untilEvent("left_out");
    expect((await registryModels(to))["spaced"]).toMatchObject({ configPath: "/My Models/spaced.yml" });
    await bridge.until("the old lines", () => text() === THREE);
  });

  test("an alias that another model has by now: another one is given, as a migration does", async () => {
    const bridge = await started();
    const registry = await registryOf();
    await registry.models.update("a", { aliases: ["taken"] });
    old.add("x/taken.gguf", "/4.yml");
    await bridge.until("the model", async () => (await ids()).length === 4);
    expect((await registryModels(to))["x/taken.gguf"]!.alias).toBe("x:taken");
    await bridge.until("its line", () =>
      text().endsWith("x/taken.gguf local imported /4.yml x:taken READY\n"),
    );
  });

  test("a change that the registry made too is a conflict, which the registry wins", async () => {
    mergeOnce();
    const registry = await registryOf();
    await registry.models.update("a", { alias: "ours" });
    await registry.runs.acquire("c", { holder: "test", ttlMs: 60_000 });
    expect(old.alias("a", "theirs")).toBe(true);
    const lines = mergeOnce("--json")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; model_id?: string; why?: string });
    expect(lines.filter(({ kind }) => kind === "conflict")).toMatchObject([
      { model_id: "a", why: expect.stringMatching(/alias is "ours".*changed to "theirs"/) as string },
    ]);
    expect(text()).toBe(THREE.replace("one", "ours").replace("three READY", "three RUNNING"));
  });

  test("a model that runs is not deleted", async () => {
    const registry = await registryOf();
    mergeOnce();
    await registry.runs.acquire("b", { holder: "test", ttlMs: 60_000 });
    expect(old.delete("b")).toBe(true);
    expect(mergeOnce()).toMatch(/conflict +b: it is running/);
    expect(await ids()).toEqual(["a", "b", "c"]);
    expect(text()).toBe(THREE.replace("two READY", "two RUNNING"));
  });
});

describe("no deletion is", () => {
  test("a file that is not whole: it is set aside, and restored", async () => {
    const bridge = await started();
    const kept: string[] = [];
    for (const [what, content] of [
      ["empty", ""],
      ["cut between lines", THREE.slice(0, THREE.indexOf("c x"))],
      ["cut inside a line", THREE.slice(0, THREE.indexOf("c x") + 9)],
      ["cut before its last newline", THREE.slice(0, -1)],
      ["with a hole", `${THREE.slice(0, 26)}${"\0".repeat(40)}${THREE.slice(52)}`],
      ["of something else", "this is no list at all, but six words and more\n"],
    ] as const) {
      await bridge.until("rest", () => text() === THREE);
      writeFileSync(list, content);
      await bridge.until(`a file ${what} restored`, () => text() === THREE);
      if (content !== "") kept.push(content);
    }
    await bridge.end("SIGTERM");
    expect(setAside().toSorted()).toEqual(kept.toSorted());
    expect(bridge.all("deleted")).toEqual([]);
    expect(await ids()).toEqual(["a", "b", "c"]);
  });

  test.skipIf(process.getuid?.() !== 0)(
    "one on a full disk: it waits to set the file aside",
    async (context) => {
      const folder = join(`${list}.bridge`, "set-aside");
      mkdirSync(folder, { recursive: true });
      try {
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", folder], { stdio: "ignore" });
      } catch {
        context.skip("no file system can be mounted here");
      }
      onTestFinished(() => void execFileSync("umount", ["--lazy", folder]));
      const filler = join(folder, "filler.list");
      writeFileSync(filler, "x".repeat(16_384));
      const bridge = await started();
      const torn = THREE.slice(0, -9);
      writeFileSync(list, torn);
      await bridge.untilEvent("waiting");
      await sleep(2000);
      expect(text()).toBe(torn);
      expect(readdirSync(folder)).toEqual(["filler.list"]);
      rmSync(filler);
      await bridge.until("the file restored", () => text() === THREE);
      await bridge.end("SIGTERM");
      expect(setAside()).toEqual([torn]);
      expect(bridge.all("waiting")).toHaveLength(1);
    },
  );

  test("a file that is gone, or for a moment empty", async () => {
    const bridge = await started();
    rmSync(list);
    await bridge.until("the file", () => text() === THREE);
    const at = performance.now();
    writeFileSync(list, "");
    await sleep(200);
    writeFileSync(list, THREE);
    const emptyMs = performance.now() - at;
    await sleep(1500);
    await bridge.end("SIGTERM");
    expect(bridge.all("missing")).toHaveLength(1);
    // On a machine that is too busy it is empty for longer than a moment, and is restored.
    expect(bridge.all("stopped")).toMatchObject([{ deleted: 0, ...(emptyMs < 900 ? { kept: 0 } : {}) }]);
    expect(await ids()).toEqual(["a", "b", "c"]);
  });

  test("a rewrite that takes its time, or that ends with its program: what was added before it stays", async () => {
    const bridge = await started();
    old.add("d", "/4.yml", { lineMs: 300 });
    await bridge.until("the new model", async () => (await ids()).includes("d"));
    const client = spawn(
      process.execPath,
      ["--conditions=@cortex/source", fileURLToPath(new URL("old-text-client.ts", import.meta.url)), list],
      { env: environment(home), stdio: "pipe" },
    );
    client.stdin.write(`${JSON.stringify(["alias", "a", "uno", { diesAfterLines: 2 }])}\n`);
    await once(client, "exit");
    expect(text()).toBe("a x main /1.yml uno READY\nb x main /2.yml two READY\n");
    await bridge.until("the other lines", () => text().split("\n").length === 5);
    expect(await ids()).toEqual(["a", "b", "c", "d"]);
  });

  test("a write of a program that had read the file before our change", async () => {
    const bridge = await started();
    const registry = await registryOf();
    const entries = old.load();
    await registry.models.create({ modelId: "ours", sourceType: "local" });
    await registry.models.delete("b");
    await bridge.until("our change", () => text().includes("ours") && !text().includes("two"));
    writeFileSync(
      list,
      `${entries.map((entry) => Object.values(entry).join(" ")).join("\n")}\nd x main /4.yml d READY\n`,
    );
    await bridge.until("both", async () => (await ids()).includes("d"));
    expect(await ids()).toEqual(["a", "c", "d", "ours"]);
    await bridge.until("the file", () => text().includes("ours") && !text().includes("two"));
  });

  test("a write to the file that ours has just taken the place of: it is merged too", async () => {
    const bridge = await started();
    const registry = await registryOf();
    // As a program does that was stopped between opening the file and writing to it.
    const descriptor = openSync(list, "r+");
    await registry.models.create({ modelId: "ours", sourceType: "local" });
    await bridge.until("our change", () => text().includes("ours"));
    writeSync(descriptor, `${THREE}d x main /4.yml d READY\n`, 0);
    closeSync(descriptor);
    await bridge.until("their model", async () => (await ids()).includes("d"));
    await bridge.until("all lines", () => text().includes("/4.yml") && text().includes("ours"));
    expect(await ids()).toEqual(["a", "b", "c", "d", "ours"]);
  });

  test("a registry that was put back to an earlier time: what it lost comes back from the file", async () => {
    mergeOnce();
    rmSync(to);
    rmSync(`${to}-wal`, { force: true });
    rmSync(`${to}-shm`, { force: true });
    mergeOnce();
    expect(await ids()).toEqual(["a", "b", "c"]);
    expect(text()).toBe(THREE);
  });
});

test("a bridge that was killed goes on where it was: what both sides did meanwhile is merged", async () => {
  const bridge = await started();
  const registry = await registryOf();
  await registry.models.create({ modelId: "ours", sourceType: "local" });
  await bridge.until("our change", () => text().includes("ours"));
  await bridge.end("SIGKILL");
  await registry.models.delete("a");
  await registry.models.update("c", { alias: "drei" });
  old.delete("b");
  old.add("d", "/4.yml");
  mergeOnce();
  expect(await ids()).toEqual(["c", "d", "ours"]);
  expect(text()).toBe("c x main /3.yml drei READY\nours - - - ours READY\nd local imported /4.yml d READY\n");
});

test("a file system that tells of no changes is looked at all the same, and costs next to nothing", async () => {
  const bridge = await started();
  await sleep(3000);
  expect(bridge.all("written")).toEqual([]);
  expect(bridge.all("waiting")).toEqual([]);
  await bridge.end("SIGTERM");
});

describe("misuse", () => {
  test("a second bridge on the same file is refused, and one after a kill is not", async () => {
    const bridge = await started();
    const { code, err } = runProgram(home, "bridge", list, "--to", to, "--once");
    expect(code).toBe(1);
    expect(err).toMatch(/Another bridge \(process \d+\) keeps .*model\.list already/);
    await bridge.end("SIGKILL");
    mergeOnce();
  });

  test.each([
    ["no file", [], 2, /Name one model\.list/],
    ["two files", ["a", "b"], 2, /Name one model\.list/],
    ["an unknown flag", ["a", "--onse"], 2, /Did you mean --once\?/],
    ["a flag of the migration", ["a", "--dry-run"], 2, /no flag --dry-run/],
    ["a missing file", ["/nowhere/model.list"], 3, /does not exist/],
    ["a folder without one", ["empty"], 3, /holds no old store/],
  ])("%s", (_what, words, exitCode, message) => {
    mkdirSync(join(home, "empty"));
    const given = words.map((word) => (word === "empty" ? join(home, word) : word));
    const { code, out, err } = runProgram(home, "bridge", ...given);
    expect({ code, out }).toEqual({ code: exitCode, out: "" });
    expect(err).toMatch(message);
    expect(err.trim().split("\n")).toHaveLength(1);
  });

  test("a database, another text, the registry itself, a folder as the registry", async () => {
    mkdirSync(join(home, "folder"));
    await (await openRegistry(join(home, "cortex.db"))).close();
    for (const [given, registry, exitCode, message] of [
      [join(home, "cortex.db"), to, 2, /bridge is for a model\.list/],
      [
        writeFile(join(home, "notes.txt"), "some words\nand more\n"),
        to,
        2,
        /does not look like a model\.list/,
      ],
      [list, list, 2, /list itself/],
      [list, join(home, "folder"), 2, /is a folder/],
    ] as const) {
      const { code, out, err } = runProgram(home, "bridge", given, "--to", registry, "--once");
      expect({ given, code, out }).toEqual({ given, code: exitCode, out: "" });
      expect(err).toMatch(message);
    }
    expect(text()).toBe(THREE);
  });
});

test("help names its flags", () => {
  const { code, out } = runProgram(home, "bridge", "--help");
  expect(code).toBe(0);
  expect(out).toMatch(/bridge <model\.list>/);
  expect(out).toMatch(/--once/);
  expect(out).not.toMatch(/--rollback/);
});
