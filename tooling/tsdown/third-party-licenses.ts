import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import type { Rolldown } from "tsdown";

/** The innermost `node_modules/<name>` or `node_modules/@scope/<name>` of a module's path. */
const PACKAGE_FOLDER = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/;

const LICENSE_FILE = /^licen[cs]e/i;

/** Emits `THIRD-PARTY-LICENSES.txt`: name, version and licence text of every package that was bundled. */
export function thirdPartyLicenses(): Rolldown.Plugin {
  return {
    name: "third-party-licenses",
    async generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const output of Object.values(bundle)) {
        if (output.type !== "chunk") continue;
        for (const id of output.moduleIds) {
          const folder = PACKAGE_FOLDER.exec(id)?.[0];
          if (folder !== undefined) folders.add(folder);
        }
      }
      if (folders.size === 0) return;
      const notices = await Promise.all([...folders].map(readNotice));
      this.emitFile({
        type: "asset",
        fileName: "THIRD-PARTY-LICENSES.txt",
        source: notices.toSorted().join(`\n${"-".repeat(72)}\n\n`),
      });
    },
  };
}

async function readNotice(folder: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  const { name, version, license } = manifest as { name: string; version: string; license: string };
  const file = (await readdir(folder)).find((entry) => LICENSE_FILE.test(entry));
  if (file === undefined) throw new Error(`${name} ${version} is bundled but brings no licence text`);
  const text = await readFile(path.join(folder, file), "utf8");
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}
