import type { AuditEvent } from "#schema/api/audit-events";
import { CopyText } from "../../components/copy-text.tsx";
import { TimelineAge } from "../../components/timeline.tsx";
import { describeAction, describeDetails, toSubjectName } from "./audit-words.ts";

interface AuditEventItemProps {
  readonly event: AuditEvent;
  /** Of what is still there, by its id. */
  readonly names: ReadonlyMap<string, string>;
  readonly onSubject: (subjectId: string) => void;
}

export function AuditEventItem({ event, names, onSubject }: AuditEventItemProps) {
  const { action, actor, at, requestId, subjectId } = event;
  const details = describeDetails(event, names);
  return (
    <li className="flex gap-3 px-4 py-3 not-first:border-t">
      <div className="min-w-0 flex-1">
        <p>
          <span className="font-medium">{describeAction(action)}</span>{" "}
          <button
            type="button"
            title="Only what happened to this"
            onClick={() => onSubject(subjectId)}
            className="max-w-full break-all text-left text-accent hover:underline"
          >
            {toSubjectName(event) ?? names.get(subjectId) ?? subjectId}
          </button>{" "}
          <span className="text-muted">by {actor.name}</span>
        </p>
        {details && <p className="mt-0.5 break-words font-mono text-muted text-xs">{details}</p>}
        <p className="mt-0.5 text-faint text-xs">
          <CopyText text={requestId} what="request id" />
        </p>
      </div>
      <TimelineAge at={at} />
    </li>
  );
}
