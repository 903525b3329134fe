/** The number of each type of value in a GGUF file. */
const TYPES = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  text: 8,
  list: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;

/** A value with its type; a bare text, number or truth value gets the likely one. */
export type Value =
  | string
  | number
  | boolean
  | { readonly type: keyof typeof TYPES; readonly value: number }
  | { readonly list: keyof typeof TYPES; readonly items: readonly Value[] };

export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Of `enum ggml_type`; 0 is F32. */
  readonly type: number;
  /** How many bytes of it there are. */
  readonly bytes: number;
}

export interface GgufOptions {
  readonly version?: number;
  readonly keyCount?: bigint;
  readonly tensorCount?: bigint;
  /** Filled with this byte, so that files differ. */
  readonly fill?: number;
}

/** The bytes of a GGUF file with some values and tensors. */
export function ggufFile(
  values: Readonly<Record<string, Value>>,
  tensors: readonly Tensor[] = [],
  { version = 3, keyCount, tensorCount, fill = 0 }: GgufOptions = {},
): Buffer {
  const keys = Object.entries(values);
  let offset = 0;
  const infos = tensors.map(({ name, shape, type, bytes }) => {
    const info = [text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset)];
    offset += aligned(bytes);
    return Buffer.concat(info);
  });
  const header = Buffer.concat([
    Buffer.from("GGUF"),
    u32(version),
    u64(tensorCount ?? tensors.length),
    u64(keyCount ?? keys.length),
    ...keys.flatMap(([key, value]) => [text(key), u32(typeOf(value)), bytesOf(value)]),
    ...infos,
  ]);
  if (tensors.length === 0) return header;
  const last = tensors.at(-1)!.bytes;
  const data = Buffer.alloc(offset - aligned(last) + last, fill);
  return Buffer.concat([header, Buffer.alloc(aligned(header.length) - header.length), data]);
}

function typeOf(value: Value): number {
  if (typeof value === "string") return TYPES.text;
  if (typeof value === "boolean") return TYPES.bool;
  if (typeof value === "number") return Number.isInteger(value) ? TYPES.u32 : TYPES.f32;
  return "list" in value ? TYPES.list : TYPES[value.type];
}

function bytesOf(value: Value): Buffer {
  if (typeof value === "string") return text(value);
  if (typeof value === "boolean") return Buffer.from([value ? 1 : 0]);
  if (typeof value === "number") return number(Number.isInteger(value) ? "u32" : "f32", value);
  if (!("list" in value)) return number(value.type, value.value);
  const items = value.items.map((item) =>
    typeof item === "number" ? number(value.list, item) : bytesOf(item),
  );
  return Buffer.concat([u32(TYPES[value.list]), u64(items.length), ...items]);
}

function number(type: keyof typeof TYPES, value: number): Buffer {
  const view = new DataView(new ArrayBuffer(8));
  const write: Partial<Record<keyof typeof TYPES, () => number>> = {
    u8: () => (view.setUint8(0, value), 1),
    i8: () => (view.setInt8(0, value), 1),
    bool: () => (view.setUint8(0, value), 1),
    u16: () => (view.setUint16(0, value, true), 2),
    i16: () => (view.setInt16(0, value, true), 2),
    u32: () => (view.setUint32(0, value, true), 4),
    i32: () => (view.setInt32(0, value, true), 4),
    f32: () => (view.setFloat32(0, value, true), 4),
    u64: () => (view.setBigUint64(0, BigInt(value), true), 8),
    i64: () => (view.setBigInt64(0, BigInt(value), true), 8),
    f64: () => (view.setFloat64(0, value, true), 8),
  };
  return Buffer.from(view.buffer, 0, write[type]!());
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  return number("u32", value);
}

function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 32) * 32;
}
