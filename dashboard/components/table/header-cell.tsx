import { ArrowDown, ArrowUp } from "lucide-react";
import { classNames } from "../../lib/class-names.ts";
import { type Column, parseSorting, toggleSorting } from "./columns.ts";

interface HeaderCellProps<Row> {
  readonly column: Column<Row>;
  readonly sort: string | undefined;
  readonly onSort: ((sort: string) => void) | undefined;
}

export function HeaderCell<Row>({ column, sort, onSort }: HeaderCellProps<Row>) {
  const { id, header, align, isSortable, isHeaderHidden } = column;
  const look = classNames("min-w-0 py-2 font-medium text-muted text-xs", align === "end" && "text-right");
  if (!isSortable || sort === undefined || onSort === undefined) {
    return (
      <div role="columnheader" className={look}>
        <span className={isHeaderHidden ? "sr-only" : undefined}>{header}</span>
      </div>
    );
  }
  const { columnId, isDescending } = parseSorting(sort);
  const isSorted = columnId === id;
  const Arrow = isDescending ? ArrowDown : ArrowUp;
  return (
    <div
      role="columnheader"
      aria-sort={isSorted ? (isDescending ? "descending" : "ascending") : "none"}
      className={look}
    >
      <button
        type="button"
        onClick={() => onSort(toggleSorting(sort, id))}
        className={classNames(
          "group/sort inline-flex items-center gap-1 hover:text-ink",
          // The name stands over its values; the arrow on the other side.
          align === "end" && "flex-row-reverse",
          isSorted && "text-ink",
        )}
      >
        {header}
        <Arrow
          aria-hidden
          className={classNames(
            "size-3",
            !isSorted && "opacity-0 group-hover/sort:opacity-60 group-focus-visible/sort:opacity-60",
          )}
        />
      </button>
    </div>
  );
}
