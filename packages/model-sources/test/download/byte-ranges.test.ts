import fc from "fast-check";
import { expect, test } from "vitest";

import { ByteRanges } from "../../src/download/byte-ranges.ts";

const SIZE = 40;
const range = fc
  .tuple(fc.nat({ max: SIZE }), fc.nat({ max: SIZE }))
  .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const);

test("says of every byte whether it is there, whatever order the ranges come in", () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), (added) => {
      const ranges = new ByteRanges(added);
      const there = Array.from({ length: SIZE }, (_, at) =>
        added.some(([start, end]) => at >= start && at < end),
      );
      const missing = Array.from({ length: SIZE }, (_, at) =>
        ranges.gaps(SIZE).some(([start, end]) => at >= start && at < end),
      );
      expect(missing).toEqual(there.map((isThere) => !isThere));
      expect(ranges.bytes).toBe(there.filter(Boolean).length);
      expect(ranges.prefixEnd).toBe(there.includes(false) ? there.indexOf(false) : SIZE);
      expect(new ByteRanges(ranges.toJSON()).toJSON()).toEqual(ranges.toJSON());
    }),
  );
});
