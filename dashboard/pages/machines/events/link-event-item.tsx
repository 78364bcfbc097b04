import { Link } from "@tanstack/react-router";
import type { LinkEvent } from "#schema/api/machine-links";
import { Age } from "../../../components/age.tsx";
import { StatusDot } from "../../../components/status-dot.tsx";
import { formatMoment } from "../../../lib/format.ts";
import { toEventWords } from "./event-words.ts";

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
            <Link
              to="/machines/$machineId"
              params={{ machineId: event.peerId }}
              className="font-medium hover:text-accent"
            >
              {event.peerName}
            </Link>
          )}
          <span>{title}</span>
          {meshName && <span className="text-muted text-xs">{meshName}</span>}
        </p>
        <p className="break-words text-muted">{event.reason.message}</p>
      </div>
      <div className="shrink-0 text-right text-muted text-xs">
        <Age at={event.at} />
        {!isShort && <span className="hidden sm:block">{formatMoment(event.at)}</span>}
      </div>
    </li>
  );
}
