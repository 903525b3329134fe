/** Something that is done to registries to see what they keep. */
export interface Experiment {
  readonly name: string;
  /** One line for the help. */
  readonly about: string;
  run(setting: Setting): Promise<Outcome>;
}

export interface Setting {
  /** Decides everything that is random. */
  readonly seed: number;
  /** The whole exploration, or what fits into a test. */
  readonly long: boolean;
  /** Only the part of that name. */
  readonly only?: string | undefined;
  /** Where an earlier run kept what it worked on. */
  readonly place?: string | undefined;
  /** Told on the way. */
  readonly say: (line: string) => void;
}

export interface Outcome {
  /** One line with the figures. */
  readonly summary: string;
  readonly figures: Readonly<Record<string, unknown>>;
  /** What broke a promise, each with the way to see it again. */
  readonly failures: readonly string[];
  /** Why it was not done. */
  readonly skipped?: string;
}
