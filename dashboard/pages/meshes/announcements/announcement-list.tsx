// The list of a mesh's routes, or of its VIPs: the same but for what is announced.
import { Pencil, Plus, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { listMembers } from "#schema/api/members";
import type { Member } from "#schema/machine";
import { useList } from "../../../api/use-api.ts";
import { Badge } from "../../../components/badge.tsx";
import { Button, IconButton } from "../../../components/button.tsx";
import { Nothing } from "../../../components/layout.tsx";
import { EmptyState } from "../../../components/states.tsx";
import { actionsColumn, type Column } from "../../../components/table/columns.ts";
import { DataTable } from "../../../components/table/data-table.tsx";
import type { Announcement } from "./announcement-fields.tsx";
import { describeCheck } from "./announcement-model.ts";
import { Announcers } from "./announcers.tsx";

interface AnnouncementListProps<Item extends Announcement> {
  readonly meshId: string;
  readonly items: readonly Item[];
  /** `Routes`. */
  readonly label: string;
  /** `route`. */
  readonly noun: string;
  readonly canChange: boolean;
  readonly empty: { readonly icon: ReactNode; readonly title: string; readonly words: string };
  /** What is announced, in the list and on a phone. */
  readonly what: readonly Column<Item>[];
  readonly toWhat: (item: Item) => ReactNode;
  /** The header over its machines. */
  readonly by: string;
  readonly more?: readonly Column<Item>[];
  readonly toDialog: (input: DialogInput<Item>) => ReactNode;
  readonly toDeletion: (item: Item, onClose: () => void) => ReactNode;
}

export interface DialogInput<Item> {
  /** Undefined: a new one. */
  readonly item: Item | undefined;
  readonly members: readonly Member[];
  readonly onClose: () => void;
}

type Open<Item> = { readonly what: "create" } | { readonly what: "change" | "delete"; readonly item: Item };

export function AnnouncementList<Item extends Announcement>(props: AnnouncementListProps<Item>) {
  const { meshId, items, label, noun, canChange, empty, what, toWhat, by, more = [], toDialog, toDeletion } = props;
  const members = useList(listMembers, { params: { meshId } });
  const [open, setOpen] = useState<Open<Item> | null>(null);
  const onClose = () => setOpen(null);
  const names = new Map((members.data ?? []).map(({ machineId, name }) => [machineId as string, name as string]));
  const create = canChange && (
    <Button look="primary" onClick={() => setOpen({ what: "create" })}>
      <Plus aria-hidden /> Create {noun}
    </Button>
  );
  const actions = (item: Item) =>
    canChange && (
      <span className="inline-flex">
        <IconButton label={`Change ${item.name}`} onClick={() => setOpen({ what: "change", item })}>
          <Pencil aria-hidden />
        </IconButton>
        <IconButton label={`Delete ${item.name}`} onClick={() => setOpen({ what: "delete", item })}>
          <Trash2 aria-hidden />
        </IconButton>
      </span>
    );
  const columns: readonly Column<Item>[] = [
    { id: "name", header: "Name", track: "minmax(9rem, 1fr)", cell: (item) => <Name item={item} /> },
    ...what,
    {
      id: "machines",
      header: by,
      track: "minmax(13rem, 2fr)",
      cell: (item) => <Announcers name={item.name} announced={item} names={names} />,
    },
    {
      id: "check",
      header: "Health check",
      track: "minmax(9rem, 1.2fr)",
      from: "lg",
      cell: (item) => <Check item={item} />,
    },
    ...more,
    actionsColumn(actions, "4.5rem"),
  ];
  return (
    <>
      {items.length === 0 ? (
        <EmptyState icon={empty.icon} title={empty.title} action={create}>
          {empty.words}
        </EmptyState>
      ) : (
        <div className="flex flex-col gap-3">
          <div className="flex justify-end">{create}</div>
          <DataTable
            label={label}
            rows={items}
            columns={columns}
            toKey={({ id }) => id}
            card={(item) => (
              <div className="flex items-start gap-2">
                <div className="flex min-w-0 flex-1 flex-col gap-1">
                  <Name item={item} />
                  {toWhat(item)}
                  <Announcers name={item.name} announced={item} names={names} />
                  {item.healthCheck !== null && <Check item={item} />}
                </div>
                {actions(item)}
              </div>
            )}
          />
        </div>
      )}
      {open?.what === "delete" && toDeletion(open.item, onClose)}
      {(open?.what === "create" || open?.what === "change") &&
        toDialog({
          item: open.what === "change" ? open.item : undefined,
          members: members.data ?? [],
          onClose,
        })}
    </>
  );
}

interface ItemProps {
  readonly item: Announcement;
}

const Name = ({ item }: ItemProps) => (
  <span className="flex items-center gap-2">
    <span className="min-w-0 truncate font-medium">{item.name}</span>
    {!item.enabled && <Badge>off</Badge>}
  </span>
);

const Check = ({ item }: ItemProps) => {
  const words = describeCheck(item.healthCheck);
  return words === null ? (
    <Nothing label="no health check" />
  ) : (
    <span className="block truncate text-muted" title={words}>
      {words}
    </span>
  );
};
