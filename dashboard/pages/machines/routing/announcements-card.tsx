import type { MachineAnnouncement } from "#schema/api/machine-routing";
import { Age } from "../../../components/age.tsx";
import { Badge } from "../../../components/badge.tsx";
import { Card } from "../../../components/layout.tsx";
import { StatusDot } from "../../../components/status-dot.tsx";
import { formatMs } from "../../../lib/format.ts";
import { judgeAnnouncement } from "./routing-model.ts";

interface AnnouncementsCardProps {
  readonly announcements: readonly MachineAnnouncement[];
  readonly meshNames: ReadonlyMap<string, string>;
}

/** The routes and VIPs that this machine has to announce, and whether it does. */
export const AnnouncementsCard = ({ announcements, meshNames }: AnnouncementsCardProps) => (
  <Card title="Routes and VIPs of this machine" note="what it has to announce, and whether it does" isFlush>
    <ul className="divide-y divide-line">
      {announcements.map((announcement) => (
        <Announcement key={announcement.id} announcement={announcement} meshName={meshNames.get(announcement.meshId)} />
      ))}
    </ul>
  </Card>
);

interface AnnouncementProps {
  readonly announcement: MachineAnnouncement;
  readonly meshName: string | undefined;
}

function Announcement({ announcement, meshName }: AnnouncementProps) {
  const { kind, name, prefixes, since, reason, results } = announcement;
  const { label, tone } = judgeAnnouncement(announcement);
  return (
    <li className="px-4 py-3">
      <p className="flex flex-wrap items-baseline gap-x-2">
        <span className="font-medium">{name}</span>
        <span className="text-muted text-xs">
          {kind === "vip" ? "VIP" : "route"}
          {meshName && ` in ${meshName}`}
        </span>
        <span className="ml-auto flex items-center gap-2 text-muted text-xs">
          <Age at={since} /> <Badge tone={tone}>{label}</Badge>
        </span>
      </p>
      <p className="break-words font-mono text-muted">{prefixes.join(" ")}</p>
      {reason && <p className="break-words text-bad">{reason}</p>}
      {results.length > 0 && <Results name={name} results={results} />}
    </li>
  );
}

interface ResultsProps {
  readonly name: string;
  readonly results: MachineAnnouncement["results"];
}

/** The newest first. */
const Results = ({ name, results }: ResultsProps) => (
  <ol aria-label={`Last checks of ${name}`} className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-xs">
    {results.map(({ at, isSuccess, text, durationMs }) => (
      <li key={at} className="inline-flex items-center gap-1.5">
        <StatusDot tone={isSuccess ? "good" : "bad"} />
        <span>
          {text} <span className="text-muted">in {formatMs(durationMs)}</span>
        </span>
        <span className="text-faint">
          <Age at={at} />
        </span>
      </li>
    ))}
  </ol>
);
