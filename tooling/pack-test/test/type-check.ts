import { writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import type { InstalledPackage, Outcome } from "./installed-package.ts";

const PACK_TEST = fileURLToPath(new URL("..", import.meta.url));

/**
 * Checks the types of a strict program that uses what is installed, and of everything it uses. Nothing is
 * installed beside that.
 *
 * @param types names of packages in `@types` that the program's settings name.
 */
export async function typeCheck(
  installed: InstalledPackage,
  program: string,
  types: readonly string[] = [],
): Promise<Outcome> {
  await writeFile(path.join(installed.folder, "program.ts"), program);
  await writeFile(
    path.join(installed.folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "ES2024",
        // What TypeScript has without settings, and `await using`. Hono's own types name some of a browser.
        lib: ["ES2024", "DOM", "ESNext.Disposable"],
        module: "NodeNext",
        types,
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        noEmit: true,
      },
      files: ["program.ts"],
    }),
  );
  const tsc = path.join(PACK_TEST, "node_modules", "typescript", "bin", "tsc");
  return installed.run(process.execPath, [tsc]);
}
