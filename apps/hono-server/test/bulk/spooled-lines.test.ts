import { expect, test } from "vitest";

import { SpooledLines } from "../../src/bulk/spooled-lines.ts";

const LINE = Buffer.alloc(1_000_000, "a");

async function fill(lines: SpooledLines, count: number): Promise<void> {
  for (let number = 1; number <= count; number += 1) await lines.write(LINE, number);
}

test("lines that wait take so much room and no more, all together", async () => {
  {
    await using one = await SpooledLines.create();
    await using other = await SpooledLines.create();
    await fill(one, 200);
    await expect(fill(other, 100)).rejects.toMatchObject({ code: "too_busy" });
    await expect(fill(one, 100)).rejects.toMatchObject({ code: "too_busy" });
  }
  await using alone = await SpooledLines.create();
  await expect(fill(alone, 300)).rejects.toMatchObject({ code: "payload_too_large" });
  let count = 0;
  for await (const { number, bytes } of alone.read()) {
    count += 1;
    expect([number, bytes.length]).toEqual([count, LINE.length]);
  }
  expect(count).toBe(268);
});
