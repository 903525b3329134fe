import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, posix, resolve } from "node:path";

import { LOCAL, type Found, type FoundModel, type Origin, type StoreName } from "./found-model.ts";
import { groupFiles, type StoredGroup } from "./group-files.ts";
import { toNamedFiles } from "./model-folder.ts";
import type { Entry, StoreReader } from "./store-reader.ts";
import type { Store, Surroundings } from "./store.ts";
import { MAX_YAML_BYTES, readYamlTexts } from "./yaml-keys.ts";

const VARIANTS = ["", "-beta", "-nightly"];
const RC_KEYS: ReadonlySet<string> = new Set(["dataFolderPath"]);
const KEYS: ReadonlySet<string> = new Set(["model", "files", "mmproj"]);

/**
 * The data folder of the old cortex program: `models/` with a YAML file for each model, which names its files; those
 * of Hugging Face below `huggingface.co/<author>/<repository>`, those of cortex.so below `cortex.so/<name>/<branch>`.
 */
export const cortexCpp: Store = {
  name: "cortex.cpp",
  places: (surroundings, reader) => dataFolders(surroundings, reader).map((folder) => join(folder, "models")),
  isLaidOutIn: (root, reader) =>
    ["huggingface.co", "cortex.so", "imported"].some((name) => reader.isFolder(join(root, name))),
  read: (root, reader) => readCortexFolder(root, dirname(root), reader, "cortex.cpp"),
};

/**
 * Reads a folder of this layout.
 *
 * @param base where relative names in its YAML files begin.
 * @param store whose it is.
 */
export async function* readCortexFolder(
  root: string,
  base: string,
  reader: StoreReader,
  store: StoreName,
): AsyncGenerator<Found, undefined> {
  const named = new Set<string>();
  const groups: { readonly group: StoredGroup; readonly paths: readonly string[] }[] = [];
  for await (const { entries } of reader.walk(root)) {
    const ymls = entries.filter(({ relativePath }) => /\.ya?ml$/i.test(relativePath));
    for (const yml of ymls) {
      const found = readYml(yml, base, reader);
      if (found === undefined) continue;
      for (const { path } of found.group.files) named.add(path);
      const model = toModel(found.group, found.modelId, root, store, originOf(yml.relativePath));
      yield { ...model, configPath: yml.path };
    }
    const inFolder = groupFiles(toNamedFiles(entries, reader));
    for (const group of inFolder) groups.push({ group, paths: group.files.map(({ path }) => path) });
    yield* reader.takeFindings();
  }
  // What no YAML file names: pulled by another program, or put there by hand.
  for (const { group, paths } of groups) {
    if (paths.some((path) => named.has(path))) continue;
    yield toModel(group, undefined, root, store, originOf(group.name));
  }
  yield* reader.takeFindings();
}

function toModel(
  group: StoredGroup,
  said: string | undefined,
  root: string,
  store: StoreName,
  origin: Origin,
): FoundModel {
  const { name } = group;
  const modelId = said || idOf(name, origin);
  return { kind: "model", store, storePath: root, ...group, name: said || name, modelId, origin };
}

/** The id that the old program made of a path. */
function idOf(name: string, { sourceType, authorRepo, branch }: Origin): string {
  const parts = name.split("/");
  if (sourceType === "cortex.so") return `${parts[1]}:${branch}`;
  if (sourceType === "huggingface") return `${authorRepo!.replace("/", ":")}:${posix.basename(name)}`;
  return parts.slice(-3).join(":");
}

function originOf(relativePath: string): Origin {
  const [place, first, second, ...rest] = relativePath.split("/");
  if (rest.length === 0 || first === undefined || second === undefined) return LOCAL;
  if (place === "huggingface.co") {
    return { sourceType: "huggingface", authorRepo: `${first}/${second}`, branch: "main", commit: null };
  }
  if (place === "cortex.so")
    return { sourceType: "cortex.so", authorRepo: "cortexso", branch: second, commit: null };
  return LOCAL;
}

function readYml(
  { path, relativePath }: Entry,
  base: string,
  reader: StoreReader,
): { readonly group: StoredGroup; readonly modelId: string | undefined } | undefined {
  const text = reader.text(path, MAX_YAML_BYTES);
  if (text === undefined) return undefined;
  let texts;
  try {
    texts = readYamlTexts(text, KEYS);
  } catch {
    reader.note(path, "is no YAML");
    return undefined;
  }
  const [model] = texts.get("model") ?? [];
  const said = texts.get("files") ?? [];
  if (model === undefined && said.length === 0) return undefined;
  const place = (file: string): string => (isAbsolute(file) ? file : resolve(base, file));
  const weights = said.length > 0 ? said.map(place) : [join(dirname(path), "model.gguf")];
  const names = [...weights, ...(texts.get("mmproj") ?? []).filter((file) => file !== "").map(place)];
  // A model that runs elsewhere has a YAML file and no weights.
  if (said.length === 0 && !existsSync(names[0]!)) return undefined;
  const files = names.map((file) => ({ name: posix.basename(file), file: reader.file(file, "other") }));
  const [group] = groupFiles(files);
  return group && { group: { ...group, name: relativePath }, modelId: model };
}

function dataFolders({ env, home, platform }: Surroundings, reader: StoreReader): string[] {
  const config = env["XDG_CONFIG_HOME"] || join(home, ".config");
  const data = env["XDG_DATA_HOME"] || join(home, ".local", "share");
  const said = VARIANTS.flatMap((variant) => [
    join(config, `cortexcpp${variant}`, ".cortexrc"),
    join(config, `cortexcpp${variant}`, `.cortexrc${variant}`),
    join(config, "cortexcpp", `.cortexrc${variant}`),
    join(home, `.cortexrc${variant}`),
  ]).flatMap((path) => dataFolderOf(path, home, reader) ?? []);
  const usual = VARIANTS.flatMap((variant) => [
    ...(platform === "win32" ? [] : [join(data, `cortexcpp${variant}`)]),
    join(home, `cortexcpp${variant}`),
  ]);
  return [...said, ...usual];
}

function dataFolderOf(path: string, home: string, reader: StoreReader): string | undefined {
  const text = reader.text(path, MAX_YAML_BYTES);
  if (text === undefined) return undefined;
  try {
    const [said] = readYamlTexts(text, RC_KEYS).get("dataFolderPath") ?? [];
    return (
      said &&
      resolve(
        home,
        said.replace(/^~(?=[\\/]|$)/, () => home),
      )
    );
  } catch {
    reader.note(path, "is no YAML");
    return undefined;
  }
}
