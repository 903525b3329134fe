import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import type { InstalledPackage, Outcome } from "./installed-package.ts";

const PACK_TEST = fileURLToPath(new URL("..", import.meta.url));

/**
 * Checks the types of a strict program that uses what is installed, and of everything it uses.
 *
 * @param libraries those of TypeScript that what is used wants beside Node's own types.
 */
export async function typeCheck(
  installed: InstalledPackage,
  program: string,
  libraries: readonly string[] = [],
): Promise<Outcome> {
  await writeFile(path.join(installed.folder, "program.ts"), program);
  // What a TypeScript program on Node brings itself: the compiler and the types of Node.
  await mkdir(path.join(installed.folder, "node_modules", "@types"), { recursive: true });
  await symlink(
    path.join(PACK_TEST, "node_modules", "@types", "node"),
    path.join(installed.folder, "node_modules", "@types", "node"),
  );
  await writeFile(
    path.join(installed.folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "ES2024",
        lib: ["ES2024", "ESNext.Disposable", ...libraries],
        module: "NodeNext",
        types: ["node"],
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
