const waited = new Int32Array(new SharedArrayBuffer(4));

/** Waits, and lets nothing else happen meanwhile: a timer cannot be shorter than a millisecond, and a commit takes less. */
export function block(milliseconds: number): void {
  Atomics.wait(waited, 0, 0, milliseconds);
}
