/** "CTXM" in the header of the file: what `file(1)` and our own check know a registry by. */
export const APPLICATION_ID = 0x4354584d;
