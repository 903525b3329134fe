import { quantizationIn } from "../reference/quantization-in.ts";
import { FILE_TYPES } from "./ggml-types.ts";
import type { GgufHeader } from "./gguf-header.ts";

// Set where the file type was guessed when the file was made (`LLAMA_FTYPE_GUESSED`).
const GUESSED = 1024;

/**
 * How a GGUF file is quantized: what its header says, unless its tensors contradict that; else what its name
 * says, under the same condition; else the type that most of it has.
 *
 * @param fileName for its label.
 * @returns e.g. `Q4_K_M`; `null` where nothing tells.
 */
export function quantizationOf(header: GgufHeader, fileName: string): string | null {
  const main = mainType(header);
  const said = header.values.get("general.file_type");
  const type = typeof said === "number" ? FILE_TYPES.get(said % GUESSED) : undefined;
  if (type !== undefined && (main === undefined || type.matrices.includes(main))) return type.name;
  const label = quantizationIn(fileName);
  if (label !== null && (main === undefined || isOfType(label, main))) return label;
  return main ?? null;
}

/** A name without the quantization in it, which stands behind the rest by itself. */
export function withoutLabel(name: string): string {
  const label = quantizationIn(name);
  if (label === null) return name;
  const at = name.toUpperCase().lastIndexOf(label);
  const parts = [name.slice(0, at), name.slice(at + label.length)];
  return parts
    .map((part) => part.replace(/^[-._]+|[-._]+$/g, ""))
    .filter((part) => part !== "")
    .join("-");
}

// What most numbers are stored as in the matrices of the blocks: embeddings and norms have types of their own.
function mainType({ tensors }: GgufHeader): string | undefined {
  let main: [type: string, values: number] | undefined;
  for (const entry of tensors?.matrices ?? []) if (main === undefined || entry[1] > main[1]) main = entry;
  return main?.[0];
}

function isOfType(label: string, main: string): boolean {
  const name = label.replace(/^UD-/, "");
  const type = [...FILE_TYPES.values()].find((one) => one.name === name);
  return type === undefined ? name.startsWith(main) : type.matrices.includes(main);
}
