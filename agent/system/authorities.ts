// Whose certificates this machine takes for a control plane's: Node.js's own list, and those in BECKET_CA_FILE.
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import tls from "node:tls";

/** Null: Node.js's own list alone, with NODE_EXTRA_CA_CERTS in it. Throws, saying what is wrong with the file. */
export function readAuthorities(file: string | undefined): tls.SecureContext | null {
  if (file === undefined || file === "") return null;
  let added: string;
  try {
    added = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`BECKET_CA_FILE can't be read: ${(error as Error).message}`, { cause: error });
  }
  const certificates = added.match(CERTIFICATE);
  if (certificates === null) throw new Error(`BECKET_CA_FILE=${file} holds no PEM certificate`);
  try {
    // OpenSSL would pass over a broken one.
    for (const certificate of certificates) new X509Certificate(certificate);
  } catch (error) {
    throw new Error(`BECKET_CA_FILE=${file} holds a broken certificate: ${(error as Error).message}`, { cause: error });
  }
  return tls.createSecureContext({ ca: [...readDefaults(), ...certificates] });
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Before Node.js 22.15 those of NODE_EXTRA_CA_CERTS can't be asked for, and are not among them. */
function readDefaults(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: "default") => readonly string[] };
  return getCACertificates?.("default") ?? tls.rootCertificates;
}
