import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startTestHub } from "@cortex/test-hub";
import { expect, test } from "vitest";

import { downloadFile, type Download } from "../../src/download/download-file.ts";
import { Hub } from "../../src/hub/hub.ts";
import { parseReference } from "../../src/reference/model-reference.ts";

const MIB = 1024 * 1024;

test("a disk that fills up stops the download, which goes on once there is room", async ({ skip }) => {
  const folder = mkdtempSync(join(tmpdir(), "cortex-full-"));
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${24 * MIB}`, "cortex", folder]).status !== 0) {
    rmdirSync(folder);
    skip("only root can mount a small disk");
  }
  try {
    await using server = await startTestHub();
    await using hub = new Hub({ endpoint: server.endpoint, privateHosts: ["127.0.0.1"] });
    server.commit("org/repo", { "m.gguf": { sizeBytes: 16 * MIB } });
    const [file] = (await hub.resolve(parseReference("org/repo"))).files;
    const pull = async (onProgress: Download["onProgress"]): Promise<unknown> =>
      downloadFile({
        file: file!,
        folder: { path: folder, isWritable: true },
        path: "m.gguf",
        http: hub.http,
        connections: 1,
        onProgress,
      });
    const filler = join(folder, "filler");
    const full = pull(({ receivedBytes }) => {
      if (receivedBytes >= 4 * MIB) fill(filler);
    });
    await expect(full).rejects.toMatchObject({
      code: "disk_full",
      message: expect.stringContaining("Free some space"),
    });
    expect(existsSync(join(folder, "m.gguf"))).toBe(false);
    // Before anything is asked for it is seen that it does not fit.
    await expect(pull(undefined)).rejects.toMatchObject({ code: "disk_full" });
    rmSync(filler);
    await pull(undefined);
    const sha256 = createHash("sha256").update(readFileSync(join(folder, "m.gguf")));
    expect(sha256.digest("hex")).toBe(file!.sha256);
  } finally {
    spawnSync("umount", [folder]);
    rmdirSync(folder);
  }
});

function fill(path: string): void {
  for (const size of [MIB, 4096]) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(size, 1));
    } catch {
      // No more of that size.
    }
  }
}
