import { chmodSync, chownSync, statSync, type BigIntStats, type Stats } from "node:fs";

const PERMISSIONS = 0o7777;

/**
 * Lets the same people read and write a file as another one that it is a copy of, or takes the place of. Its
 * owner stays who wrote it where only an administrator may give files away.
 *
 * @param of what `stat` says of the other one.
 */
export function takeOverRights(path: string, of: Stats | BigIntStats): void {
  const [mode, uid, gid] = [Number(of.mode), Number(of.uid), Number(of.gid)];
  const now = statSync(path);
  if (now.uid !== uid || now.gid !== gid) {
    try {
      chownSync(path, uid, gid);
    } catch {
      // Only the administrator may.
    }
  }
  chmodSync(path, mode & PERMISSIONS);
}
