import type { MachineAnnouncement } from "#schema/api/machine-routing";
import { Age } from "../../../components/age.tsx";
import { Badge } from "../../../components/badge.tsx";
import { Card } from "../../../components/layout.tsx";
import { formatMs } from "../../../lib/format.ts";
import { judgeAnnouncement } from "./routing-model.ts";

interface AnnouncementsCardProps {
  readonly announcements: readonly MachineAnnouncement[];
  readonly meshNames: ReadonlyMap<string, string>;
}

/** The routes and VIPs that this machine has to announce, and whether it does. */
export const AnnouncementsCard = ({ announcements, meshNames }: AnnouncementsCardProps) => (
  <Card title="What it announces" isFlush>
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
  const [newest] = results;
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-1 px-4 py-3">
      <div className="min-w-0 flex-1 basis-60">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium">{name}</span>
          <span className="text-muted text-xs">
            {kind === "vip" ? "VIP" : "route"}
            {meshName && ` in ${meshName}`}
          </span>
        </p>
        <p className="break-words font-mono text-muted">{prefixes.join(" ")}</p>
        {reason && <p className="break-words text-bad">{reason}</p>}
      </div>
      <div className="flex flex-col items-end gap-1 text-muted text-xs">
        <span className="flex items-center gap-2">
          <Age at={since} /> <Badge tone={tone}>{label}</Badge>
        </span>
        {newest && (
          <span>
            {newest.text}, {formatMs(newest.durationMs)}
          </span>
        )}
      </div>
    </li>
  );
}
