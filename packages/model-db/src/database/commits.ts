import { channel, type Channel } from "node:diagnostics_channel";

/** A commit that was made by this process and is on disk. */
export interface Commit {
  /** The registry: its {@link Registry.location}. */
  readonly location: string;
  /** How long the disk took, in milliseconds; not how long it waited for its turn. */
  readonly durationMs: number;
  /** How many changes shared it. */
  readonly changes: number;
}

/**
 * Tells of each commit, by a {@link Commit}, of every registry that this process has open. While nobody
 * subscribes nothing is measured.
 *
 * @see https://nodejs.org/api/diagnostics_channel.html
 */
export const commits: Channel = channel("@cortex/model-db:commit");
