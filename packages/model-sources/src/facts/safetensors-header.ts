import { RegistryError, toVisible } from "@cortex/model-db";

import { asArray, asObject, asText } from "../stores/json-value.ts";
import type { ByteSource } from "./byte-source.ts";

/** What the header of a safetensors file says, in sums. */
export interface SafetensorsHeader {
  /** What whoever wrote it noted, such as `format`: `mlx`. */
  readonly notes: Readonly<Record<string, unknown>>;
  readonly tensors: readonly SafetensorsTensor[];
}

export interface SafetensorsTensor {
  readonly name: string;
  /** E.g. `BF16`, `F32`, `U32`. */
  readonly type: string;
  /** How many numbers of that type it has. */
  readonly count: number;
}

// The format allows 100 MB; a file with ten thousand tensors has one.
const MAX_HEADER_BYTES = 8 * 1024 * 1024;

/**
 * Reads the header of a safetensors file: eight bytes with the length of the JSON behind them, then the JSON
 * (README of huggingface/safetensors, "Format").
 *
 * @throws RegistryError `invalid_input` for what is no safetensors file, is cut short, or has a header that is larger
 *   than 8 MiB.
 */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const problem = (what: string): RegistryError =>
    new RegistryError("invalid_input", `${toVisible(source.name)} ${what}.`);
  if (source.sizeBytes < 10) throw problem("is no safetensors file: it is too short");
  const length = Buffer.from(await source.read(0, 8)).readBigUInt64LE();
  if (length > BigInt(source.sizeBytes - 8) || length > BigInt(MAX_HEADER_BYTES)) {
    throw problem(
      `is no safetensors file, or cut short: it claims a header of ${length.toLocaleString("en")} bytes`,
    );
  }
  const bytes = Buffer.from(await source.read(8, Number(length)));
  const header = parse(bytes);
  if (header === undefined) throw problem("is no safetensors file: its header is no JSON object");
  const { __metadata__: notes = {}, ...entries } = header;
  const room = source.sizeBytes - 8 - Number(length);
  const tensors: SafetensorsTensor[] = [];
  for (const [name, entry] of Object.entries(entries)) {
    const tensor = toTensor(name, entry, room);
    if (tensor === undefined) throw problem("is cut short or damaged: a tensor lies outside of it");
    tensors.push(tensor);
  }
  return { notes: asObject(notes) ?? {}, tensors };
}

function parse(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  // Nothing else begins so, and the parser is not asked about megabytes of it.
  if (bytes[0] !== 0x7b) return undefined;
  try {
    return asObject(JSON.parse(bytes.toString("utf8")));
  } catch {
    return undefined;
  }
}

function toTensor(name: string, entry: unknown, room: number): SafetensorsTensor | undefined {
  const { dtype, shape, data_offsets: offsets } = asObject(entry) ?? {};
  const type = asText(dtype);
  const [start, end] = asArray(offsets);
  const count = asArray(shape).reduce<number>((product, size) => product * Number(size), 1);
  const isSound =
    type !== undefined &&
    Number.isSafeInteger(count) &&
    count >= 0 &&
    Number.isSafeInteger(start) &&
    Number.isSafeInteger(end) &&
    Number(start) >= 0 &&
    Number(start) <= Number(end) &&
    Number(end) <= room &&
    // The smallest types have four bits.
    count <= (Number(end) - Number(start)) * 2;
  return isSound ? { name, type, count } : undefined;
}
