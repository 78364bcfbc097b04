// Columns that the lists of routes and of VIPs share.
import { Pencil, Trash2 } from "lucide-react";
import type { HealthCheck } from "#schema/health-check";
import { Badge } from "../../../components/badge.tsx";
import { IconButton } from "../../../components/button.tsx";
import { Nothing } from "../../../components/layout.tsx";
import { describeCheck, nameMachines } from "./announcement-model.ts";

interface Announcement {
  readonly name: string;
  readonly enabled: boolean;
  readonly machineIds: readonly string[];
  readonly healthCheck: HealthCheck | null;
}

export const AnnouncementName = ({ item }: { readonly item: Announcement }) => (
  <span className="flex items-center gap-2">
    <span className="min-w-0 truncate font-medium">{item.name}</span>
    {!item.enabled && <Badge>off</Badge>}
  </span>
);

export const Announcers = ({
  item,
  names,
}: {
  readonly item: Announcement;
  readonly names: ReadonlyMap<string, string>;
}) => (
  <span className={item.machineIds.length === 0 ? "text-warn" : undefined}>{nameMachines(item.machineIds, names)}</span>
);

export const Check = ({ item }: { readonly item: Announcement }) => {
  const words = describeCheck(item.healthCheck);
  return words === null ? (
    <Nothing label="no health check" />
  ) : (
    <span className="block truncate text-muted" title={words}>
      {words}
    </span>
  );
};

interface AnnouncementActionsProps {
  readonly name: string;
  readonly onEdit: () => void;
  readonly onDelete: () => void;
}

export const AnnouncementActions = ({ name, onEdit, onDelete }: AnnouncementActionsProps) => (
  <span className="inline-flex">
    <IconButton label={`Change ${name}`} onClick={onEdit}>
      <Pencil aria-hidden />
    </IconButton>
    <IconButton label={`Delete ${name}`} onClick={onDelete}>
      <Trash2 aria-hidden />
    </IconButton>
  </span>
);
