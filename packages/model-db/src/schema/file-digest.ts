/** A row of `file_digest`. */
export interface FileDigestTable {
  path: string;
  size_bytes: number;
  /** Unix milliseconds. */
  modified_at: number;
  inode: string;
  sample_sha256: string | null;
  sha256: string | null;
}
