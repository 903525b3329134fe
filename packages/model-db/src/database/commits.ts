import { channel } from "node:diagnostics_channel";

/** A commit that was made by this process and is on disk. */
export interface Commit {
  /** The registry: its {@link Registry.location}. */
  readonly location: string;
  /** How long the disk took, in milliseconds; not how long it waited for its turn. */
  readonly durationMs: number;
  /** How many changes shared it. */
  readonly changes: number;
}

/** What is used of a channel of Node: programs that have no types of Node can read ours all the same. */
interface CommitChannel {
  readonly hasSubscribers: boolean;
  publish(commit: Commit): void;
  subscribe(onCommit: (commit: Commit) => void): void;
  unsubscribe(onCommit: (commit: Commit) => void): void;
}

/**
 * Tells of each commit of every registry that this process has open. While nobody
 * subscribes nothing is measured.
 *
 * @see https://nodejs.org/api/diagnostics_channel.html
 */
export const commits: CommitChannel = channel("@cortex/model-db:commit") as CommitChannel;
