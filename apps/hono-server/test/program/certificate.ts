import { execFileSync } from "node:child_process";

/** Whether {@link makeCertificate} can make one on this machine. */
export function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"]);
    return true;
  } catch {
    return false;
  }
}

/** Makes a certificate that signs itself, and its key, as PEM files. */
export function makeCertificate(name: string, cert: string, key: string): void {
  const pair = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key];
  execFileSync("openssl", ["req", "-x509", ...pair, "-out", cert, "-subj", `/CN=${name}`], {
    stdio: "ignore",
  });
}
