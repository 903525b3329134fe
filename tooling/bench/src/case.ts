import type { Fixture } from "./fixture.ts";
import type { MeasureOptions, Measurement } from "./harness.ts";

/** What a case has to work with. */
export interface Setting {
  readonly fixture: Fixture;
  /** How long to measure. */
  readonly effort: {
    readonly reads: MeasureOptions;
    readonly writes: MeasureOptions;
    readonly quick: boolean;
  };
}

/** Contenders side by side. */
export interface Table {
  readonly title: string;
  /** The contender that the others are compared with. */
  readonly reference: string;
  readonly measurement: Measurement;
  /** How long those who asked a server waited, by contender. */
  readonly latencies?: ReadonlyMap<string, Latency>;
}

export interface Latency {
  readonly meanMs: number;
  /** Of a hundred answers the slowest but one. */
  readonly p99Ms: number;
}

/** A number that is no contender's time: a count, a share, a rate. */
export interface Fact {
  readonly title: string;
  readonly value: number;
  readonly unit: string;
}

/** A goal, and what was measured. */
export interface Goal {
  readonly title: string;
  readonly measured: number;
  readonly limit: number;
  readonly kind: "at most" | "at least";
}

export interface Outcome {
  readonly tables?: readonly Table[];
  readonly facts?: readonly Fact[];
  readonly goals?: readonly Goal[];
  /** Why something was not measured. */
  readonly skipped?: string;
  /** What went wrong. */
  readonly failure?: string;
}

/** One question of the benchmark. */
export interface Case {
  readonly name: string;
  /** The sizes it makes sense at; all when left out. */
  readonly sizes?: (size: number) => boolean;
  readonly run: (setting: Setting) => Promise<Outcome>;
}

export function atMost(title: string, measured: number, limit: number): Goal {
  return { title, measured, limit, kind: "at most" };
}

export function atLeast(title: string, measured: number, limit: number): Goal {
  return { title, measured, limit, kind: "at least" };
}

export function isReached({ measured, limit, kind }: Goal): boolean {
  return kind === "at most" ? measured <= limit : measured >= limit;
}
