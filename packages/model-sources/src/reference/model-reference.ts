import { RegistryError } from "@cortex/model-db";

/** A model of a repository on Hugging Face; those of cortex.so are the ones of the organisation `cortexso`. */
export interface RepositoryReference {
  readonly kind: "repository";
  readonly sourceType: "huggingface" | "cortex.so";
  /** `organisation/name`. */
  readonly repo: string;
  /** A branch, a tag or a commit; `null`: the repository's own choice. */
  readonly revision: string | null;
  readonly quantization: string | null;
  /** A file's path in the repository. */
  readonly file: string | null;
}

/** A file of any other server. */
export interface FileReference {
  readonly kind: "file";
  readonly url: string;
}

export type ModelReference = RepositoryReference | FileReference;

/** The organisation on Hugging Face that holds the models of cortex.so. */
const CORTEX_ORGANISATION = "cortexso";
/** Where Hugging Face is, unless `HF_ENDPOINT` says otherwise. */
export const HUGGING_FACE = "https://huggingface.co";

const MAX_LENGTH = 2048;
const FILE_VIEWS = new Set(["blob", "resolve", "raw"]);
const HOSTS = new Set(["huggingface.co", "www.huggingface.co", "hf.co"]);
const NAME = /^(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$/;
// What git takes, without what would mean something in a URL.
const REVISION = /^(?!.*(?:\.\.|\/\/|\/\.))[A-Za-z0-9_][A-Za-z0-9._/-]{0,254}$/;
const QUANTIZATION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const FORMS =
  "org/repo[:quantization][@revision], hf.co/org/repo, tinyllama:1b-gguf, or the URL of a .gguf file";

/**
 * Reads what a person or a program names a model to pull by.
 *
 * - `hf.co/org/repo[:quantization][@revision]`, `org/repo…`, and with a file: `org/repo/file.gguf`,
 *   `org/repo:file.gguf`, `org:repo:file.gguf` (the id of a pulled model);
 * - URLs of Hugging Face: a repository, `…/tree/<revision>`, `…/blob/<revision>/<file>`, `…/resolve/…`;
 * - `tinyllama:1b-gguf`, `cortex.so/tinyllama:1b-gguf`: the branch `1b-gguf` of `cortexso/tinyllama`;
 * - `https://…/file.gguf` of any other server.
 *
 * @param endpoint where Hugging Face is (`HF_ENDPOINT`): URLs below it are its own.
 * @throws RegistryError `invalid_input`.
 */
export function parseReference(text: string, endpoint: string = HUGGING_FACE): ModelReference {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.length > MAX_LENGTH) throw notUnderstood(text, "it is empty or too long");
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed)) return parseUrl(trimmed, endpoint);
  const [host = "", ...rest] = trimmed.split("/");
  if (HOSTS.has(host.toLowerCase())) return parseRepository(trimmed, rest.join("/"));
  if (host.toLowerCase() === "cortex.so") return parseCortex(trimmed, rest.join("/"));
  if (rest.length > 0) return parseRepository(trimmed, trimmed);
  const parts = trimmed.split(":");
  if (parts.length === 3) return parseRepository(trimmed, `${parts[0]}/${parts[1]}/${parts[2]}`);
  return parseCortex(trimmed, trimmed);
}

function parseUrl(text: string, endpoint: string): ModelReference {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw notUnderstood(text, "it is no http or https URL");
  if (url.username !== "" || url.password !== "") {
    throw notUnderstood(text.replace(/\/\/[^/]*@/, "//…@"), "a password in a URL would be recorded");
  }
  const home = new URL(endpoint);
  const isHub = url.host === home.host || HOSTS.has(url.host);
  if (!isHub) return parseFileUrl(text, url);
  const base = url.host === home.host ? home.pathname.replace(/\/$/, "") : "";
  const path = decode(text, url.pathname.slice(base.length).replace(/^\/|\/$/g, ""));
  const [organisation, name, view, ...rest] = path.split("/");
  const repo = `${organisation}/${name}`;
  // Whoever lets HF_ENDPOINT name a private server may want a plain file of it.
  const isFile = !HOSTS.has(url.host) && /\.gguf$/i.test(path) && !FILE_VIEWS.has(view ?? "");
  if (isFile) return parseFileUrl(text, url);
  if (view === undefined) return reference(text, repo, {});
  // A branch with a slash arrives as one encoded part.
  const [, , , encoded = ""] = url.pathname.slice(base.length).replace(/^\//, "").split("/");
  const revision = decode(text, encoded);
  const file = rest.slice(revision.split("/").length).join("/");
  if (view === "tree") return reference(text, repo, { revision });
  if (FILE_VIEWS.has(view) && file !== "") {
    return reference(text, repo, { revision, file });
  }
  throw notUnderstood(text, "that page of Hugging Face is no model and no file of one");
}

function parseFileUrl(text: string, url: URL): FileReference {
  if (!/[^/]\.gguf$/i.test(decode(text, url.pathname)))
    throw notUnderstood(text, "the file it names is no .gguf file");
  url.hash = "";
  return { kind: "file", url: url.href };
}

function parseRepository(text: string, path: string): RepositoryReference {
  const at = path.indexOf("@");
  const revision = at === -1 ? null : path.slice(at + 1);
  const [organisation, name, ...folders] = (at === -1 ? path : path.slice(0, at)).split("/");
  const file = folders.join("/");
  const [bare, ...words] = (name ?? "").split(":");
  const word = words.join(":");
  const repo = `${organisation}/${bare}`;
  if (file !== "") return reference(text, `${organisation}/${name}`, { revision, file });
  if (words.length === 0) return reference(text, repo, { revision });
  if (/\.gguf$/i.test(word)) return reference(text, repo, { revision, file: word });
  if (organisation === CORTEX_ORGANISATION && revision === null) {
    return reference(text, repo, { revision: word });
  }
  if (!QUANTIZATION.test(word)) throw notUnderstood(text, `${JSON.stringify(word)} is no quantization`);
  return reference(text, repo, { revision, quantization: word });
}

function parseCortex(text: string, path: string): RepositoryReference {
  const [name = "", tag, ...more] = path.split(/[:/]/);
  if (more.length > 0) throw notUnderstood(text, "a model of cortex.so is a name and a tag");
  return reference(text, `${CORTEX_ORGANISATION}/${name}`, { revision: tag ?? null });
}

function reference(
  text: string,
  repo: string,
  { revision = null, quantization = null, file = null }: Partial<RepositoryReference>,
): RepositoryReference {
  const names = repo.split("/");
  if (names.length !== 2 || !names.every((name) => NAME.test(name))) {
    throw notUnderstood(text, `${JSON.stringify(repo)} is no repository`);
  }
  if (revision !== null && (!REVISION.test(revision) || /[./]$/.test(revision))) {
    throw notUnderstood(text, `${JSON.stringify(revision)} is no branch, tag or commit`);
  }
  const isCortex = names[0] === CORTEX_ORGANISATION;
  return {
    kind: "repository",
    sourceType: isCortex ? "cortex.so" : "huggingface",
    repo,
    revision,
    quantization,
    file,
  };
}

function decode(text: string, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw notUnderstood(text, "its percent-encoding is broken");
  }
}

function notUnderstood(text: string, why: string): RegistryError {
  const shown = JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
  return new RegistryError("invalid_input", `${shown} names no model to pull: ${why}. Give ${FORMS}.`, {
    field: "model",
  });
}
