// The agent that this control plane hands out: what install.sh installs.
import { AgentBuild } from "#schema/rollout";

export interface AgentBuildReader {
  /** As it was some seconds ago at the oldest; null when the static files have none, or can't be read. */
  recent(): Promise<AgentBuild | null>;
  /** As it is now. */
  read(): Promise<AgentBuild | null>;
}

/** Made by scripts/installer/build-installer.ts. */
const FILE = "https://assets.invalid/agent-build.json";
/** Where static files are replaced under a control plane that runs, as in development. */
const KEPT_MS = 15_000;

export function createAgentBuildReader(
  assets: { fetch(request: Request): Promise<Response> },
  now: () => number,
): AgentBuildReader {
  let kept: { readonly build: AgentBuild | null; readonly atMs: number } | null = null;

  async function read(): Promise<AgentBuild | null> {
    const response = await assets.fetch(new Request(FILE));
    const parsed = AgentBuild.safeParse(response.ok ? await response.json().catch(() => null) : null);
    const build = parsed.success ? parsed.data : null;
    kept = { build, atMs: now() };
    return build;
  }

  return {
    read,
    async recent() {
      if (kept !== null && now() - kept.atMs < KEPT_MS) return kept.build;
      // A list without it is worth more than no list.
      return read().catch(() => kept?.build ?? null);
    },
  };
}
