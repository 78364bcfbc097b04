import type { AgentInfo } from "#schema/machine";
import { Badge } from "../../../components/badge.tsx";
import { Card, Fact, Facts } from "../../../components/layout.tsx";

const WIREGUARD = {
  kernel: <Badge tone="good">in the kernel</Badge>,
  "wireguard-go": <Badge tone="info">wireguard-go, in user space</Badge>,
  missing: <Badge tone="bad">missing</Badge>,
} as const;

export const AgentCard = ({ agent }: { readonly agent: AgentInfo | null }) => (
  <Card title="Agent">
    {agent === null ? (
      <p className="text-muted">It has told nothing of itself yet.</p>
    ) : (
      <Facts>
        <Fact label="Becket">{agent.agentVersion}</Fact>
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
