// install.sh out of its parts: one text, with everything filled in but the control plane's address, which the Worker knows.

export interface InstallerParts {
  /** In order; the last one calls `main`. */
  readonly script: readonly string[];
  /** By the name of their place in it. */
  readonly files: Readonly<Record<string, string>>;
}

export interface InstallerFacts {
  readonly version: string;
  readonly agentFile: string;
  readonly agentSha256: string;
  readonly node: NodeBuilds;
}

/** installer/node-builds.json */
export interface NodeBuilds {
  readonly atLeast: string;
  readonly version: string;
  readonly sha256: { readonly x64: string; readonly arm64: string };
}

/** What the Worker replaces: see worker/routes/installer.ts. */
export const ORIGIN_PLACE = "@ORIGIN@";

/** Throws when a place has no value, or a value could end the quotes that it stands in. */
export function renderInstaller(
  parts: InstallerParts,
  { version, agentFile, agentSha256, node }: InstallerFacts,
): string {
  const constants: Record<string, string> = {
    VERSION: version,
    AGENT_FILE: agentFile,
    AGENT_SHA256: agentSha256,
    NODE_AT_LEAST: node.atLeast,
    NODE_VERSION: node.version,
    NODE_SHA256_X64: node.sha256.x64,
    NODE_SHA256_ARM64: node.sha256.arm64,
  };
  return parts.script.join("").replace(/@([A-Z0-9_]+)@/g, (place, name: string) => {
    if (place === ORIGIN_PLACE) return place;
    const file = parts.files[name]?.trimEnd();
    const value = file ?? constants[name];
    if (value === undefined) throw new Error(`install.sh has a place for ${name}, and nothing goes there`);
    if (file === undefined && !/^[\w.-]+$/.test(value)) throw new Error(`${name} can't be ${value}`);
    return value;
  });
}
