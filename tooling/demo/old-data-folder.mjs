import { mkdirSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

// An old cortex data folder, as the old program left it: a text list from its first releases, a
// `cortex.db` of its last ones, and the files beside them. The weights are as large as the real ones and hold nothing: they take no space on the disk.
import Database from "better-sqlite3";

const LAST_USED = new Date("2024-11-05T09:30:00Z");

const LISTED = [
  ["TheBloke", "OpenHermes-2.5-Mistral-7B-GGUF", "openhermes-2.5-mistral-7b.Q4_K_M", 4_368_439_584],
  ["TheBloke", "Mistral-7B-Instruct-v0.2-GGUF", "mistral-7b-instruct-v0.2.Q4_K_M", 4_368_439_424],
  ["bartowski", "Meta-Llama-3.1-8B-Instruct-GGUF", "Meta-Llama-3.1-8B-Instruct-Q4_K_M", 4_920_734_272],
];
const STORED = [
  ["bartowski", "gemma-2-9b-it-GGUF", "gemma-2-9b-it-Q5_K_M", 6_647_366_592],
  ["Qwen", "Qwen2.5-Coder-7B-Instruct-GGUF", "qwen2.5-coder-7b-instruct-q4_k_m", 4_683_073_536],
];

/** Writes the folder and returns how many models its two stores name. */
export function writeOldDataFolder(folder) {
  const models = join(folder, "models");
  const lines = LISTED.map(([author, repository, file, size]) => {
    const place = join(models, "huggingface.co", author, repository);
    writeYaml(join(place, `${file}.yml`), { name: file, files: join(place, `${file}.gguf`), size });
    writeGguf(join(place, `${file}.gguf`), size);
    const id = `huggingface.co/${author}/${repository}/${file}.gguf`;
    return `${id} ${author} main ${join(place, `${file}.yml`)} ${file.toLowerCase()} READY`;
  });
  const imported = join(models, "imported", "my-finetune.yml");
  const finetune = join(folder, "..", "weights", "my-finetune.Q5_K_M.gguf");
  writeGguf(finetune, 5_131_409_408);
  writeYaml(imported, { name: "my-finetune", files: finetune, size: 5_131_409_408 });
  lines.push(`my-finetune local imported ${imported} finetune RUNNING`);
  // The old program cut a path at its blank; the line is still whole here.
  lines.push(`team-notes local imported ${join(models, "imported", "team notes.yml")} notes READY`);
  writeYaml(join(models, "imported", "team notes.yml"), {
    name: "team-notes",
    files: finetune,
    size: 5_131_409_408,
  });
  writeFileSync(join(models, "model.list"), `${lines.join("\n")}\n`);
  return lines.length + writeDatabase(folder);
}

function writeDatabase(folder) {
  const database = new Database(join(folder, "cortex.db"));
  database.exec(`
    CREATE TABLE schema_version ( version INTEGER PRIMARY KEY);
    INSERT INTO schema_version VALUES (3);
    CREATE TABLE models (model_id TEXT PRIMARY KEY,author_repo_id TEXT,branch_name TEXT,path_to_model_yaml TEXT,model_alias TEXT, model_format TEXT, model_source TEXT, status TEXT, engine TEXT, metadata TEXT);
  `);
  const insert = database.prepare("INSERT INTO models VALUES (?, ?, ?, ?, ?, '', '', 'downloaded', ?, '')");
  for (const [author, repository, file, size] of STORED) {
    const place = join("models", "huggingface.co", author, repository);
    writeYaml(join(folder, place, `${file}.yml`), { name: file, files: join(place, `${file}.gguf`), size });
    writeGguf(join(folder, place, `${file}.gguf`), size);
    const id = `${author}:${repository}:${file}.gguf`;
    insert.run(id, author, "main", join(place, `${file}.yml`), id, "llama-cpp");
  }
  const tinyllama = join("models", "cortex.so", "tinyllama", "1b-gguf");
  writeYaml(join(folder, tinyllama, "model.yml"), {
    name: "Tinyllama Chat 1B",
    files: join(tinyllama, "model.gguf"),
    size: 668_788_096,
  });
  writeGguf(join(folder, tinyllama, "model.gguf"), 668_788_096);
  insert.run(
    "tinyllama:1b-gguf",
    "cortexso",
    "1b-gguf",
    join(tinyllama, "model.yml"),
    "tinyllama:1b-gguf",
    "llama-cpp",
  );
  database.close();
  return STORED.length + 1;
}

function writeYaml(path, { name, files, size }) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    `name: ${name}\nversion: 1\nfiles:\n  - ${files}\nsize: ${size}\nengine: llama-cpp\nctx_len: 8192\nngl: 33\n`,
  );
  age(path);
}

// A header without keys or tensors; the rest is a hole.
function writeGguf(path, size) {
  mkdirSync(dirname(path), { recursive: true });
  const header = Buffer.alloc(24);
  header.write("GGUF");
  header.writeUInt32LE(3, 4);
  writeFileSync(path, header);
  truncateSync(path, size);
  age(path);
}

// Old data is old: the migration takes its times from the files.
function age(path) {
  utimesSync(path, LAST_USED, LAST_USED);
}
