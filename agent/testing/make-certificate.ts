// A certificate that signs itself, with its key: an authority of its own.
import { spawnSync } from "node:child_process";

/** @param altName as `IP:127.0.0.1` or `DNS:becket.test` */
export function makeCertificate(altName = "DNS:elsewhere.example"): { readonly key: string; readonly cert: string } {
  const extension = `subjectAltName=${altName}`;
  const argv = [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "-",
    "-subj",
    "/CN=test",
    "-addext",
    extension,
  ];
  const { stdout } = spawnSync("openssl", argv, { encoding: "utf8" });
  return { key: stdout, cert: stdout };
}
