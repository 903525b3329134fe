/** What went wrong with an old store as a whole; the exit codes are those of the terminal. */
const EXIT_CODES = {
  not_found: 3,
  unreadable: 1,
  damaged: 1,
  changed: 1,
  is_registry: 2,
  not_a_store: 2,
} as const;

export type LegacyStoreErrorCode = keyof typeof EXIT_CODES;

/** An old store that cannot be read; the message says which and what to do. */
export class LegacyStoreError extends Error {
  override readonly name = "LegacyStoreError";
  readonly code: LegacyStoreErrorCode;

  constructor(code: LegacyStoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** 1 to 3. */
  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}
