// A certificate authority that only who is told of it trusts, as companies have them.
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Lab } from "../lab/lab.ts";
import { run } from "../lab/system/exec.ts";

export interface LabCertificate {
  /** Of the authority: what clients are given. */
  readonly authorityFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** For one name, in the lab's folder. */
export async function issueCertificate(lab: Lab, name: string): Promise<LabCertificate> {
  const folder = path.join(lab.folder, "authority");
  mkdirSync(folder);
  const file = (base: string) => path.join(folder, base);
  const make = (base: string, subject: string, ...more: string[]) =>
    run([
      ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...["-keyout", file(`${base}.key`), "-out", file(`${base}.pem`), "-subj", `/CN=${subject}`, ...more],
    ]);
  await make("authority", "The lab's authority");
  const extensions = ["-addext", `subjectAltName=DNS:${name}`, "-addext", "basicConstraints=critical,CA:FALSE"];
  await make("server", name, "-CA", file("authority.pem"), "-CAkey", file("authority.key"), ...extensions);
  return { authorityFile: file("authority.pem"), certificateFile: file("server.pem"), keyFile: file("server.key") };
}
