import type { SourceType } from "@cortex/model-db";

/** A file that a hub offers. */
export interface RemoteFile {
  /** In its repository, `/` between its parts; what the hub says, and not looked at yet. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Of its content, where the hub says so: a file in Git LFS. 64 lower-case hexadecimal digits. */
  readonly sha256: string | null;
  /** Git's id of its content, where the hub says so: any other file. 40 lower-case hexadecimal digits. */
  readonly gitSha1: string | null;
  /** Where it is fetched: of the exact commit where there is one, so that it always means the same bytes. */
  readonly url: string;
  /** What the server calls this state of the file, where it has no hash. */
  readonly etag: string | null;
}

/** What a reference leads to: the files of a repository at one commit, or a single file. */
export interface RemoteModel {
  /** `local` for a file of any server: once it is here, it is as any other file. */
  readonly sourceType: SourceType;
  /** `organisation/name`; `null` for a single file. */
  readonly repo: string | null;
  /** The branch, tag or commit that was asked for, or the default branch. */
  readonly branch: string | null;
  /** 40 hexadecimal digits. */
  readonly commit: string | null;
  readonly files: readonly RemoteFile[];
}
