/** Loaded with `--import`: moves the wall clock of the process by `CLOCK_SHIFT_MS`, and leaves the others alone. */
const shiftMs = Number(process.env["CLOCK_SHIFT_MS"]);
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...values: ConstructorParameters<typeof Date> | []) {
    if (values.length === 0) super(RealDate.now() + shiftMs);
    else super(...values);
  }

  static override now(): number {
    return RealDate.now() + shiftMs;
  }
} as DateConstructor;
