import { Age } from "../../components/age.tsx";
import { StatusDot } from "../../components/status-dot.tsx";

interface OnlineStateProps {
  readonly online: boolean;
  readonly lastSeenAt: string | null;
}

export const OnlineState = ({ online, lastSeenAt }: OnlineStateProps) => (
  <span className="inline-flex items-center gap-2 whitespace-nowrap">
    <StatusDot tone={online ? "good" : "neutral"} />
    {online ? (
      "online"
    ) : (
      <span className="text-muted">{lastSeenAt === null ? "never seen" : <Age at={lastSeenAt} />}</span>
    )}
  </span>
);
