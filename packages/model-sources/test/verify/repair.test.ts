import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { NewModelFile } from "@cortex/model-db";
import { startTestHub, type TestHub } from "@cortex/test-hub";
import { describe, expect, test } from "vitest";

import {
  Hub,
  modelFolders,
  verifyModels,
  type ModelVerdict,
  type RepairOutcome,
  type VerifyOptions,
} from "../../src/index.ts";
import { RegistryFolder } from "../registry-folder.ts";

const REPAIRER = fileURLToPath(new URL("../processes/file-repairer.ts", import.meta.url));
const GOOD = "good content ".repeat(1000);
const BAD = "evil content ".repeat(1000);

/** A hub that has the good content, a registry of a file that was fetched from it, and somebody who repairs. */
class RepairShop implements AsyncDisposable {
  readonly folder: RegistryFolder;
  readonly server: TestHub;
  readonly file: NewModelFile & { path: string };
  readonly commit: string;
  readonly #hub: Hub;

  private constructor(folder: RegistryFolder, server: TestHub) {
    this.folder = folder;
    this.server = server;
    this.commit = server.commit("org/repo", { "x.bin": GOOD });
    const source = `${server.endpoint}/org/repo/resolve/${this.commit}/x.bin`;
    this.file = folder.write("models/huggingface.co/org/repo/x.bin", GOOD, {
      source,
      verifiedAt: Date.now() + 60_000,
    });
    this.#hub = new Hub({
      endpoint: server.endpoint,
      privateHosts: ["127.0.0.1", "localhost"],
      retries: { count: 1, firstDelayMs: 10 },
    });
  }

  static async open(): Promise<RepairShop> {
    const shop = new RepairShop(await RegistryFolder.create(), await startTestHub());
    await shop.folder.model("a", shop.file);
    return shop;
  }

  async repair(options: VerifyOptions = {}, env: NodeJS.ProcessEnv = {}): Promise<ModelVerdict[]> {
    const { registry } = this.folder;
    const folders = await modelFolders(env, registry.location);
    return Array.fromAsync(
      verifyModels(registry, { names: ["a"], repair: { hub: this.#hub, folders }, ...options }),
    );
  }

  async outcome(env: NodeJS.ProcessEnv = {}): Promise<RepairOutcome | undefined> {
    const [verdict] = await this.repair({}, env);
    return verdict!.files[0]!.repair;
  }

  /** What is in the folder of the file. */
  get names(): string[] {
    return readdirSync(this.folder.at("models/huggingface.co/org/repo"));
  }

  content(): string {
    return readFileSync(this.file.path, "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hub[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

describe("repairing", () => {
  test.each([
    ["damaged", (path: string) => writeFileSync(path, BAD)],
    ["cut short", (path: string) => writeFileSync(path, GOOD.slice(0, 100))],
    ["gone", (path: string) => rmSync(path)],
    ["gone with its folder", (path: string) => rmSync(dirname(path), { recursive: true })],
  ])("fetches a file that is %s again, and the model is whole", async (_name, damage) => {
    await using shop = await RepairShop.open();
    damage(shop.file.path);
    expect(await shop.outcome()).toEqual({ isRepaired: true, how: "fetched", from: shop.file.source });
    expect(shop.content()).toBe(GOOD);
    expect(shop.names).toEqual(["x.bin"]);
    expect(await shop.folder.registry.models.get("a")).toMatchObject({ availability: "present" });
    expect((await shop.repair())[0]).toMatchObject({ files: [{ verdict: { state: "whole" } }] });
  });

  test("takes the same content from another file of the registry, as a link, without the network", async () => {
    await using shop = await RepairShop.open();
    const other = shop.folder.write("elsewhere/blob", GOOD);
    await shop.folder.model("b", other);
    writeFileSync(shop.file.path, BAD);
    const before = shop.server.requests.length;
    expect(await shop.outcome()).toEqual({ isRepaired: true, how: "linked", from: other.path });
    expect(shop.content()).toBe(GOOD);
    expect(statSync(shop.file.path).ino).toBe(statSync(other.path).ino);
    expect(shop.server.requests).toHaveLength(before);
    expect(shop.names).toEqual(["x.bin"]);
  });

  test("takes nothing from a copy that is bad itself, nor from another name of the bad bytes", async () => {
    await using shop = await RepairShop.open();
    const bad = shop.folder.write("elsewhere/bad", BAD, { sha256: shop.file.sha256! });
    writeFileSync(shop.file.path, BAD);
    linkSync(shop.file.path, shop.folder.at("elsewhere/link"));
    await shop.folder.model("b", bad, { ...bad, path: shop.folder.at("elsewhere/link") });
    expect(await shop.outcome()).toMatchObject({ how: "fetched" });
    expect(shop.content()).toBe(GOOD);
    expect(readFileSync(bad.path, "utf8")).toBe(BAD);
    expect(readFileSync(shop.folder.at("elsewhere/link"), "utf8")).toBe(BAD);
  });

  test("never touches a file that was not written by us", async () => {
    await using shop = await RepairShop.open();
    const { registry } = shop.folder;
    const { file } = shop;
    const outside = shop.folder.write("elsewhere/x.bin", BAD, { sha256: file.sha256!, source: file.source! });
    const linked = { ...file, path: shop.folder.at("models/link.bin") };
    symlinkSync(outside.path, linked.path);
    writeFileSync(file.path, BAD);
    for (const [own, env, why] of [
      [{ ...file, source: null }, {}, "was not written by cortex, so that it is not touched"],
      [outside, {}, "lies in no models folder, so that it is not touched"],
      [linked, {}, "is a link, where cortex had written a file"],
      [
        file,
        { CORTEX_MODELS: `${shop.folder.at("models")}(ro)` },
        "lies in a models folder that is read-only",
      ],
    ] as const) {
      await registry.models.delete("a");
      await shop.folder.model("a", own);
      expect(await shop.outcome(env)).toEqual({ isRepaired: false, why });
      expect(readFileSync(own.path, "utf8")).toBe(BAD);
      expect(await registry.models.get("a")).toMatchObject({ availability: "partial" });
    }
    expect(shop.names).toEqual(["x.bin"]);
  });

  test("keeps what somebody has written to, beside the good file", async () => {
    await using shop = await RepairShop.open();
    await shop.folder.registry.files.put("a", { ...shop.file, verifiedAt: 1000 });
    writeFileSync(shop.file.path, BAD);
    expect(await shop.outcome()).toMatchObject({ isRepaired: true });
    expect(shop.content()).toBe(GOOD);
    expect(shop.names).toEqual(["x.bin", "x.bin.before-repair"]);
    expect(readFileSync(`${shop.file.path}.before-repair`, "utf8")).toBe(BAD);
    writeFileSync(shop.file.path, "again");
    utimesSync(shop.file.path, 0, Date.now() / 1000 + 120);
    expect(await shop.outcome()).toMatchObject({
      isRepaired: false,
      why: expect.stringContaining("stays until"),
    });
    expect(shop.content()).toBe("again");
  });

  test("where the source has something else or cannot be reached, the bad file stays and is named", async () => {
    await using shop = await RepairShop.open();
    writeFileSync(shop.file.path, BAD);
    for (const on of ["hub", "cdn"] as const)
      shop.server.fault({ kind: "status", status: 500 }, { on, times: 99 });
    expect(await shop.outcome()).toMatchObject({
      isRepaired: false,
      why: expect.stringContaining("could not be fetched again"),
    });
    expect(shop.content()).toBe(BAD);
    shop.server.clearFaults();
    shop.server.corrupt("org/repo", shop.commit, "x.bin", BAD);
    expect(await shop.outcome()).toMatchObject({ isRepaired: false });
    expect(shop.content()).toBe(BAD);
    expect(await shop.folder.registry.models.get("a")).toMatchObject({ availability: "partial" });
  });

  test("goes on after an interruption, and nothing is worse until then", async () => {
    await using shop = await RepairShop.open();
    writeFileSync(shop.file.path, BAD);
    shop.server.fault({ kind: "drip", bytesPerSecond: 2000 }, { times: 1 });
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 1000);
    await expect(shop.repair({ signal: controller.signal })).rejects.toThrow("enough");
    expect(shop.content()).toBe(BAD);
    shop.server.clearFaults();
    expect(await shop.outcome()).toMatchObject({ isRepaired: true });
    expect(shop.content()).toBe(GOOD);
    expect(shop.names).toEqual(["x.bin"]);
  });

  test(
    "that is killed leaves the bad file or the good one, and the next goes on",
    { timeout: 180_000 },
    async () => {
      await using shop = await RepairShop.open();
      const { registry } = shop.folder;
      writeFileSync(shop.file.path, BAD);
      for (const on of ["hub", "cdn"] as const)
        shop.server.fault({ kind: "drip", bytesPerSecond: 4000 }, { on, path: "x.bin", times: 99 });
      const partial = `${shop.file.path}.cortex-repair.partial`;
      for (let round = 0; round < 2; round += 1) {
        const child = spawn(process.execPath, [
          "--conditions=@cortex/source",
          REPAIRER,
          registry.location,
          shop.server.endpoint,
        ]);
        const closed = once(child, "close");
        while (!existsSync(partial)) await sleep(10);
        await sleep(300);
        child.kill("SIGKILL");
        await closed;
        expect(shop.content()).toBe(BAD);
        expect(await registry.models.get("a")).toMatchObject({ availability: "present" });
      }
      shop.server.clearFaults();
      expect(await shop.outcome()).toMatchObject({ isRepaired: true });
      expect(shop.content()).toBe(GOOD);
      expect(shop.names).toEqual(["x.bin"]);
    },
  );

  test("only one process at a time repairs, and verifying needs no turn", async () => {
    await using shop = await RepairShop.open();
    const { registry } = shop.folder;
    const folders = await modelFolders({}, registry.location);
    const hub = new Hub();
    const first = verifyModels(registry, { repair: { hub, folders } });
    await first.next();
    await expect(shop.repair()).rejects.toMatchObject({ code: "database_busy" });
    expect(await shop.repair({ repair: undefined })).toHaveLength(1);
    await first.return(undefined);
    expect(await shop.repair()).toHaveLength(1);
    await hub[Symbol.asyncDispose]();
  });

  test("leaves a model alone that is being fetched", async () => {
    await using shop = await RepairShop.open();
    rmSync(shop.file.path);
    await shop.folder.registry.transfers.request({
      reference: "a",
      modelId: "a",
      sourceType: "huggingface",
      folder: shop.folder.at("models"),
      files: [{ path: "x.bin", role: "weights", url: shop.file.source! }],
    });
    expect(await shop.outcome()).toEqual({ isRepaired: false, why: "is being fetched" });
    expect(existsSync(shop.file.path)).toBe(false);
  });
});
