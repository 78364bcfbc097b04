import type { LinkEvent } from "#schema/api/machine-links";
import { StatusDot } from "../../../components/status-dot.tsx";
import { TimelineAge } from "../../../components/timeline.tsx";
import { MachineLink } from "../machine-link.tsx";
import { toEventWords } from "./event-words.ts";

export const toEventKey = ({ at, meshId, peerId, kind }: LinkEvent): string => `${at} ${meshId} ${peerId} ${kind}`;

interface LinkEventItemProps {
  readonly event: LinkEvent;
  readonly meshName?: string | undefined;
  /** Without the moment: its age is enough. */
  readonly isShort?: boolean;
}

export function LinkEventItem({ event, meshName, isShort = false }: LinkEventItemProps) {
  const { tone, title } = toEventWords(event);
  return (
    <li className="flex gap-3 border-line px-4 py-3 not-first:border-t">
      <span className="mt-1.5">
        <StatusDot tone={tone} />
      </span>
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-2">
          {event.peerName === null ? (
            <span className="text-muted">a machine that left</span>
          ) : (
            <MachineLink id={event.peerId} name={event.peerName} className="font-medium" />
          )}
          <span>{title}</span>
          {meshName && <span className="text-muted text-xs">{meshName}</span>}
        </p>
        <p className="break-words text-muted">{event.reason.message}</p>
      </div>
      <TimelineAge at={event.at} isShort={isShort} />
    </li>
  );
}
