import fc from "fast-check";
import { expect, test } from "vitest";

import { RequestLog, type Answered, type ServiceLog } from "../src/request-log.ts";
import { ROUTES } from "../src/routes/index.ts";

const ANSWERED: fc.Arbitrary<Answered> = fc.record({
  requestId: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/),
  method: fc.constantFrom("GET", "PATCH", "M-SEARCH"),
  path: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("/v1/models/a", "/nowhere", "/healthz")),
  route: fc.constantFrom(undefined, ...ROUTES.map(({ path }) => path)),
  status: fc.constantFrom(200, 304, 404, 503),
  startedAt: fc.double({ min: 0, max: 1000, noNaN: true }),
  address: fc.constantFrom(undefined, "local", "127.0.0.1", "fe80::1%eth0"),
  user: fc.oneof(fc.constant(undefined), fc.string({ unit: "binary" })),
  isCut: fc.boolean(),
  error: fc.constant(undefined),
});

test("a log that takes the text of an answered request is told the same as one that takes its fields", () => {
  let told: string[] = [];
  const note = (fields: object, message: string): void =>
    void told.push(JSON.stringify({ ...fields, message }));
  const plain: ServiceLog = { debug: note, info: note, error: note };
  const fast: ServiceLog = {
    ...plain,
    answered: (fields) => void told.push(`{${fields},"message":"Answered"}`),
  };
  const logs = [plain, fast].map((log) => new RequestLog(log, ROUTES));
  fc.assert(
    fc.property(ANSWERED, (answered) => {
      told = [];
      for (const log of logs) log.write(answered);
      const [own, other] = told.map((line) => line.replace(/"duration_ms":[\d.e-]+/, ""));
      expect(other).toBe(own);
    }),
    { numRuns: 2000 },
  );
});
