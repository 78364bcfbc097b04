import { Link } from "@tanstack/react-router";
import type { AgentInfo } from "#schema/machine";
import { toUpgradeConsent } from "#schema/rollout";
import { Badge } from "../../../components/badge.tsx";
import { Card, Fact, Facts } from "../../../components/layout.tsx";

const WIREGUARD = {
  kernel: <Badge tone="good">in the kernel</Badge>,
  "wireguard-go": <Badge tone="info">wireguard-go, in user space</Badge>,
  missing: <Badge tone="bad">missing</Badge>,
} as const;

const UPGRADES = {
  allowed: "allowed from here",
  not_allowed: "not from here: its own settings say so",
  too_old: "not from here: its agent is from before roll-outs",
} as const;

interface AgentCardProps {
  readonly agent: AgentInfo | null;
  readonly upToDate: boolean | null;
}

export const AgentCard = ({ agent, upToDate }: AgentCardProps) => (
  <Card title="Agent">
    {agent === null ? (
      <p className="text-muted">It has told nothing of itself yet.</p>
    ) : (
      <Facts>
        <Fact label="Becket">
          <span className="flex flex-wrap items-center gap-2">
            {agent.agentVersion}
            {upToDate === true && <Badge tone="good">up to date</Badge>}
            {upToDate === false && (
              <Link to="/rollouts" className="hover:underline">
                <Badge tone="warn">update available</Badge>
              </Link>
            )}
          </span>
        </Fact>
        <Fact label="Upgrades">{UPGRADES[toUpgradeConsent(agent)]}</Fact>
        <Fact label="WireGuard">{WIREGUARD[agent.wireguard]}</Fact>
        <Fact label="Kernel">
          <span className="font-mono text-xs">{agent.kernelVersion}</span>
        </Fact>
        <Fact label="Node.js">
          <span className="font-mono text-xs">{agent.nodeVersion}</span>
        </Fact>
      </Facts>
    )}
  </Card>
);
