import { Age } from "../../components/age.tsx";
import { StatusDot } from "../../components/status-dot.tsx";

interface OnlineStateProps {
  readonly online: boolean;
  readonly lastSeenAt: string | null;
  /** In a sentence, where no column's head says what the age is of. */
  readonly isLong?: boolean;
}

export const OnlineState = ({ online, lastSeenAt, isLong = false }: OnlineStateProps) => (
  <span className="inline-flex items-center gap-2 whitespace-nowrap">
    <StatusDot tone={online ? "good" : "neutral"} />
    {online ? (
      "online"
    ) : (
      <span className="text-muted">
        {isLong && "offline, "}
        {isLong && lastSeenAt !== null && "seen "}
        {lastSeenAt === null ? "never seen" : <Age at={lastSeenAt} />}
      </span>
    )}
  </span>
);
