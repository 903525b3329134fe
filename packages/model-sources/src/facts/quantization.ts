import { FILE_TYPES } from "./ggml-types.ts";
import type { GgufHeader } from "./gguf-header.ts";

// Set where the file type was guessed when the file was made (`LLAMA_FTYPE_GUESSED`).
const GUESSED = 1024;
// A quantization as it stands in the names of files, such as `Q4_K_M`, `UD-Q4_K_XL`, `IQ3_XXS`, `BF16`.
const LABEL =
  /(?:^|[^A-Z0-9])((?:I?Q|TQ)[1-8]_[A-Z0-9]+(?:_[A-Z]{1,3})?|BF16|F16|F32|MXFP4(?:_MOE)?)(?=$|[^A-Z0-9])/g;

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
  const label = quantizationLabel(fileName);
  if (label !== undefined && (main === undefined || isOfType(label, main))) return label;
  return main ?? null;
}

/** The quantization that stands in the name of a file, in capital letters. */
function quantizationLabel(fileName: string): string | undefined {
  return [...fileName.toUpperCase().matchAll(LABEL)].at(-1)?.[1];
}

/** A name without the quantization in it, which stands behind the rest by itself. */
export function withoutLabel(name: string): string {
  const label = quantizationLabel(name);
  if (label === undefined) return name;
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
  const type = [...FILE_TYPES.values()].find(({ name }) => name === label);
  return type === undefined ? label.startsWith(main) : type.matrices.includes(main);
}
