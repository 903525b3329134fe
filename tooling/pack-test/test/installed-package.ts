import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The top of this repository. */
export const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));

/** How a finished command ended. */
export type Outcome = { exitCode: number; stdout: string; stderr: string };

/** A package of this repository, packed and installed alone into an empty npm project. */
export type InstalledPackage = AsyncDisposable & {
  /** The npm project. */
  folder: string;
  /** Runs a command in the project; an exit code other than 0 is an outcome, not an error. */
  run(command: string, args: string[]): Promise<Outcome>;
};

/**
 * Packs the packages in `packageFolders` (relative to the repository) as they would be published, and installs
 * the tarballs with plain `npm install` into an empty project in a temporary folder, which goes with the
 * returned object.
 *
 * @throws Error with the output of pnpm or npm, when one of them fails
 */
export async function installPackage(...packageFolders: string[]): Promise<InstalledPackage> {
  const root = await mkdtemp(path.join(tmpdir(), "cortex-pack-"));
  const remove = async (): Promise<void> => rm(root, { recursive: true, force: true });
  try {
    const project = path.join(root, "project");
    await mkdir(project);
    await writeFile(path.join(project, "package.json"), '{ "private": true, "type": "module" }\n');
    const tarballs: string[] = [];
    for (const folder of packageFolders) {
      const tarball = path.join(root, `${path.basename(folder)}.tgz`);
      await succeed("pnpm", ["pack", "--out", tarball], path.join(REPOSITORY, folder));
      tarballs.push(tarball);
    }
    await npmInstall(tarballs, project);
    return {
      folder: project,
      run: async (command, args) => run(command, args, project),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Installs what `specifiers` name into the npm project in `folder`.
 *
 * @throws Error with npm's output, when it fails
 */
export async function npmInstall(specifiers: string[], folder: string): Promise<void> {
  const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline"];
  await succeed("npm", ["install", ...quiet, ...specifiers], folder);
}

/** The names of the packages in a project's `node_modules`, as npm recorded them. */
export async function installedPackages(folder: string): Promise<string[]> {
  const lock = await readFile(path.join(folder, "package-lock.json"), "utf8");
  const { packages } = JSON.parse(lock) as { packages: Record<string, unknown> };
  return Object.keys(packages)
    .filter((key) => key !== "")
    .map((key) => key.slice(key.lastIndexOf("node_modules/") + "node_modules/".length))
    .toSorted();
}

/** Runs a command to its end, with an environment that knows nothing of the package manager around it. */
export async function run(command: string, args: string[], cwd: string): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  execFile(command, args, { cwd, env: plainEnvironment(), timeout: 200_000 }, (error, stdout, stderr) => {
    if (error !== null && typeof error.code !== "number") reject(error);
    else resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
  });
  return promise;
}

/** Runs a command to its end. @throws Error with what it printed, when it fails */
export async function succeed(command: string, args: string[], cwd: string): Promise<void> {
  const { exitCode, stdout, stderr } = await run(command, args, cwd);
  if (exitCode === 0) return;
  throw new Error(`${command} ${args.join(" ")} ended with ${exitCode}\n${stdout}${stderr}`);
}

/**
 * npm tells its children about the project it was called in; an install elsewhere must not hear of it. Where
 * the machine keeps npm's settings it must hear: npm derives that from the place of Node, and this is not the
 * machine's Node.
 */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = new Set([
    "npm_config_cache",
    "npm_config_globalconfig",
    "npm_config_registry",
    "npm_config_userconfig",
  ]);
  const entries = Object.entries(process.env).filter(
    ([name]) => kept.has(name) || !/^(npm_|pnpm_|vitest|node_options$|node_env$|node_path$)/i.test(name),
  );
  return Object.fromEntries(entries);
}
