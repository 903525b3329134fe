import type { ByteSource } from "./byte-source.ts";
import { TENSOR_TYPES } from "./ggml-types.ts";
import { BudgetSpent, HeaderReader } from "./header-reader.ts";

/** A value that is kept of a header: long texts, and lists that are long or not of numbers, are passed over. */
export type GgufValue = string | number | boolean | readonly number[];

/** The tensors of a file in sums; the tensors themselves may be many. */
interface GgufTensors {
  readonly count: number;
  /** How many numbers they hold. */
  readonly parameterCount: number;
  /** Bytes by the type of the tensor; a type that is not known has none. */
  readonly bytes: ReadonlyMap<string, number>;
  /** Numbers by type in the matrices of the blocks, which is what a quantization is named after. */
  readonly matrices: ReadonlyMap<string, number>;
}

/** What the header of a GGUF file says. */
export interface GgufHeader {
  readonly version: number;
  readonly values: ReadonlyMap<string, GgufValue>;
  /** How many items each list has, whether or not they are kept. */
  readonly listLengths: ReadonlyMap<string, number>;
  /** `undefined` where reading ended before them. */
  readonly tensors: GgufTensors | undefined;
  /** Whether it was read to its end. */
  readonly complete: boolean;
}

const MAX_HEADER_BYTES = 64 * 1024 * 1024;
// What is kept of a header is bounded by these: a real one has some 50 keys and 2,000 tensors.
const MAX_KEYS = 4096;
const MAX_TENSORS = 100_000;
const MAX_NAME_BYTES = 1024;
const MAX_TEXT_BYTES = 1024;
const MAX_TEMPLATE_BYTES = 1024 * 1024;
const MAX_LIST_LENGTH = 512;
const MAX_DEPTH = 4;
const MAX_INNER_LISTS = 10_000;
const MAX_DIMENSIONS = 4;
const DEFAULT_ALIGNMENT = 32;

/** Bytes of the types of values that have a length of their own, by number: 8 is a text, 9 a list. */
const VALUE_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 4],
  [5, 4],
  [6, 4],
  [7, 1],
  [10, 8],
  [11, 8],
  [12, 8],
]);
const TEXT = 8;
const LIST = 9;

/**
 * Reads the header of a GGUF file (versions 2 and 3; `docs/gguf.md` of ggml has the format). The vocabulary, which is
 * most of it, is passed over. Every count and length is held against what the source has left before anything
 * is done with it, so that memory stays flat whatever a header claims.
 *
 * @param source the file.
 * @param maxBytes how much of it may be read, for one that is far away or one of many: most of what matters
 *   stands in the first 64 KiB. What was not reached is absent, and `complete` is false. 64 MiB when left out.
 * @throws RegistryError `invalid_input` for what is no GGUF file, is cut short, is damaged, or is of a machine
 *   with the other byte order.
 */
export async function readGgufHeader(
  source: ByteSource,
  maxBytes: number = MAX_HEADER_BYTES,
): Promise<GgufHeader> {
  const reader = new HeaderReader(source, maxBytes);
  const { version, tensorCount, keyCount } = await readCounts(reader);
  const values = new Map<string, GgufValue>();
  const listLengths = new Map<string, number>();
  try {
    await readValues(reader, keyCount, values, listLengths);
    const tensors = await readTensors(reader, tensorCount, alignmentOf(reader, values));
    return { version, values, listLengths, tensors, complete: true };
  } catch (error) {
    if (!(error instanceof BudgetSpent)) throw error;
    if (maxBytes >= MAX_HEADER_BYTES)
      throw reader.problem("has a header that no model needs: it is larger than 64 MiB");
    return { version, values, listLengths, tensors: undefined, complete: false };
  }
}

async function readCounts(
  reader: HeaderReader,
): Promise<{ version: number; tensorCount: number; keyCount: number }> {
  if (reader.remaining < 4 || (await reader.bytes(4)).toString("latin1") !== "GGUF") {
    throw reader.problem('is no GGUF file: it does not begin with "GGUF"');
  }
  const version = await reader.uint32();
  if ((version & 0xffff) === 0) {
    throw reader.problem(
      "is a GGUF file for machines with the other byte order (big-endian); get the other one",
    );
  }
  if (version !== 2 && version !== 3) {
    throw reader.problem(`is a GGUF file of version ${version}; versions 2 and 3 can be read`);
  }
  const tensorCount = await reader.uint64();
  const keyCount = await reader.uint64();
  // At least: the length of a name, a type and a value; the length of a name, dimensions, a type and an offset.
  checkCount(reader, "values", keyCount, MAX_KEYS, 13);
  checkCount(reader, "tensors", tensorCount, MAX_TENSORS, 24);
  return { version, tensorCount, keyCount };
}

function checkCount(
  reader: HeaderReader,
  what: string,
  count: number,
  max: number,
  bytesOfEach: number,
): void {
  if (count <= max && count * bytesOfEach <= reader.remaining) return;
  throw reader.problem(
    `is cut short or damaged: its header claims ${count.toLocaleString("en")} ${what}, for which it has no room`,
  );
}

async function readValues(
  reader: HeaderReader,
  count: number,
  values: Map<string, GgufValue>,
  listLengths: Map<string, number>,
): Promise<void> {
  const seen = new Set<string>();
  for (let index = 0; index < count; index++) {
    const key = await readName(reader, "key");
    if (seen.has(key))
      throw reader.problem(`is damaged: its header says ${JSON.stringify(key.slice(0, 80))} twice`);
    seen.add(key);
    const type = await reader.uint32();
    const value =
      type === LIST ? await readList(reader, key, listLengths) : await readValue(reader, type, key);
    if (value !== undefined) values.set(key, value);
  }
}

async function readName(reader: HeaderReader, what: string): Promise<string> {
  const length = await reader.uint64();
  if (length > MAX_NAME_BYTES) {
    throw reader.problem(`is damaged: a ${what} in its header is ${length.toLocaleString("en")} bytes long`);
  }
  return (await reader.bytes(length)).toString("utf8");
}

async function readValue(reader: HeaderReader, type: number, key: string): Promise<GgufValue | undefined> {
  if (type === TEXT)
    return readText(reader, key === "tokenizer.chat_template" ? MAX_TEMPLATE_BYTES : MAX_TEXT_BYTES);
  const bytes = VALUE_BYTES.get(type);
  if (bytes === undefined)
    throw reader.problem(`is damaged: its header has a value of the unknown type ${type}`);
  return toValue(await reader.bytes(bytes), type);
}

async function readText(reader: HeaderReader, maxBytes: number): Promise<string | undefined> {
  const length = await reader.uint64();
  if (length <= maxBytes) return (await reader.bytes(length)).toString("utf8");
  reader.skip(length);
  return undefined;
}

function toValue(bytes: Buffer, type: number): number | boolean {
  switch (type) {
    case 0:
      return bytes.readUInt8();
    case 1:
      return bytes.readInt8();
    case 2:
      return bytes.readUInt16LE();
    case 3:
      return bytes.readInt16LE();
    case 4:
      return bytes.readUInt32LE();
    case 5:
      return bytes.readInt32LE();
    case 6:
      return bytes.readFloatLE();
    case 7:
      return bytes.readUInt8() !== 0;
    case 10:
      return Number(bytes.readBigUInt64LE());
    case 11:
      return Number(bytes.readBigInt64LE());
    default:
      return bytes.readDoubleLE();
  }
}

async function readList(
  reader: HeaderReader,
  key: string,
  listLengths: Map<string, number>,
): Promise<readonly number[] | undefined> {
  const type = await reader.uint32();
  const length = await reader.uint64();
  listLengths.set(key, length);
  const bytes = VALUE_BYTES.get(type);
  if (bytes === undefined || length > MAX_LIST_LENGTH) {
    await skipItems(reader, type, length, 1);
    return undefined;
  }
  const items = await reader.bytes(length * bytes);
  return Array.from({ length }, (_, index) => Number(toValue(items.subarray(index * bytes), type)));
}

async function skipItems(reader: HeaderReader, type: number, length: number, depth: number): Promise<void> {
  const bytes = VALUE_BYTES.get(type);
  if (bytes !== undefined) return reader.skip(length * bytes);
  if (type !== TEXT && type !== LIST) {
    throw reader.problem(`is damaged: its header has a list of the unknown type ${type}`);
  }
  // Each item has a length at least.
  if (length * 8 > reader.remaining) {
    throw reader.problem(
      `is cut short or damaged: its header claims a list of ${length.toLocaleString("en")} items, for which it has no room`,
    );
  }
  if (type === TEXT) return reader.skipTexts(length);
  if (depth >= MAX_DEPTH || length > MAX_INNER_LISTS) {
    throw reader.problem("is damaged: its header has lists in lists that no model needs");
  }
  for (let index = 0; index < length; index++) {
    const inner = await reader.uint32();
    await skipItems(reader, inner, await reader.uint64(), depth + 1);
  }
}

function alignmentOf(reader: HeaderReader, values: ReadonlyMap<string, GgufValue>): number {
  const alignment = values.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (
    typeof alignment === "number" &&
    alignment >= 1 &&
    alignment <= 1_048_576 &&
    Number.isInteger(Math.log2(alignment))
  ) {
    return alignment;
  }
  throw reader.problem(`is damaged: it is aligned to ${JSON.stringify(alignment)}`);
}

async function readTensors(reader: HeaderReader, count: number, alignment: number): Promise<GgufTensors> {
  const bytes = new Map<string, number>();
  const matrices = new Map<string, number>();
  let parameterCount = 0;
  let end = 0;
  for (let index = 0; index < count; index++) {
    const tensor = await readTensor(reader);
    parameterCount += tensor.values;
    end = Math.max(end, tensor.offset + (tensor.bytes ?? 0));
    if (tensor.bytes !== undefined) bytes.set(tensor.type, (bytes.get(tensor.type) ?? 0) + tensor.bytes);
    if (tensor.isBlockMatrix) matrices.set(tensor.type, (matrices.get(tensor.type) ?? 0) + tensor.values);
  }
  if (count === 0) return { count, parameterCount, bytes, matrices };
  const start = Math.ceil(reader.position / alignment) * alignment;
  const room = reader.position + reader.remaining - start;
  if (end > room) {
    throw reader.problem(
      `is cut short: its tensors end at byte ${(start + end).toLocaleString("en")}, and it has ${(start + room).toLocaleString("en")}`,
    );
  }
  // Tensors that all begin at one place would add up to more than there is. No type has less than a bit for each.
  const known = [...bytes.values()].reduce((sum, part) => sum + part, 0);
  if (known > room || parameterCount > Math.max(room, 0) * 8) {
    throw reader.problem("is damaged: its tensors overlap");
  }
  return { count, parameterCount, bytes, matrices };
}

interface Tensor {
  readonly type: string;
  readonly values: number;
  readonly offset: number;
  readonly bytes: number | undefined;
  readonly isBlockMatrix: boolean;
}

async function readTensor(reader: HeaderReader): Promise<Tensor> {
  const name = await readName(reader, "tensor's name");
  const dimensions = await reader.uint32();
  if (dimensions > MAX_DIMENSIONS) throw reader.problem(`is damaged: a tensor has ${dimensions} dimensions`);
  let values = 1;
  for (let index = 0; index < dimensions; index++) values *= await reader.uint64();
  const number = await reader.uint32();
  const offset = await reader.uint64();
  if (!Number.isSafeInteger(values) || !Number.isSafeInteger(offset)) {
    throw reader.problem("is damaged: a tensor is larger than any file");
  }
  const type = TENSOR_TYPES.get(number);
  return {
    type: type?.name ?? `type ${number}`,
    values,
    offset,
    bytes: type === undefined ? undefined : Math.ceil(values / type.blockValues) * type.blockBytes,
    isBlockMatrix: dimensions >= 2 && name.startsWith("blk."),
  };
}
