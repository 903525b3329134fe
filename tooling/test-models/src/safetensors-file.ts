/** A tensor of a safetensors file, filled with zeros. */
export interface SafetensorsTensor {
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** The bytes of a safetensors file. */
export function safetensorsFile(
  tensors: Readonly<Record<string, SafetensorsTensor>>,
  notes: Readonly<Record<string, string>> = { format: "pt" },
): Buffer {
  let offset = 0;
  const entries = Object.entries(tensors).map(([name, { type, shape, bytes }]) => {
    const entry = { dtype: type, shape, data_offsets: [offset, (offset += bytes)] };
    return [name, entry] as const;
  });
  const json = Buffer.from(JSON.stringify({ __metadata__: notes, ...Object.fromEntries(entries) }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(offset)]);
}
