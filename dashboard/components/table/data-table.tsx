// A list of things: a table where there is room, a stack of cards on a phone. Only the rows in sight are in the document, so a thousand of
// them scroll as ten do; assistive technology learns the true count from aria-rowcount. Rows lie where they are put, which the elements of
// an HTML table don't: roles say what they are (lint's rules for them are off in this folder).
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { memo, type ReactNode, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { isAtLeast, readWindowSize, useViewport } from "../../browser/use-viewport.ts";
import { whenIdle } from "../../browser/when-idle.ts";
import { classNames } from "../../lib/class-names.ts";
import type { Column } from "./columns.ts";
import { HeaderCell } from "./header-cell.tsx";

interface DataTableProps<Row> {
  /** What the table lists, for its name: `Machines`. */
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly toKey: (row: Row) => string;
  /** On a phone. */
  readonly card: (row: Row) => ReactNode;
  readonly sort?: string;
  readonly onSort?: (sort: string) => void;
  /** What a row opens into, below it; null while it is closed. */
  readonly expansion?: (row: Row) => ReactNode;
}

const ROW_HEIGHT = 52;
const CARD_HEIGHT = 92;
/** Rows beyond those in sight: few until the page stands, so that it stands sooner; then as many as let it scroll without gaps. */
const FIRST_OVERSCAN = 2;
const OVERSCAN = 12;

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, rows, toKey, card, expansion, sort, onSort } = props;
  const viewport = useViewport();
  const isTable = isAtLeast(viewport, "md");
  const columns = useMemo(
    () => props.columns.filter(({ from }) => from === undefined || isAtLeast(viewport, from)),
    [props.columns, viewport],
  );
  const template = columns.map(({ track }) => track).join(" ");
  const { listRef, virtualizer } = useVirtualRows(rows, toKey, isTable ? ROW_HEIGHT : CARD_HEIGHT);

  const body = (
    <div
      ref={listRef}
      role={isTable ? "rowgroup" : "presentation"}
      className="relative"
      style={{ height: virtualizer.getTotalSize() }}
    >
      {virtualizer.getVirtualItems().map(({ index, key, start }) => {
        const row = rows[index];
        if (row === undefined) return null;
        const open = expansion?.(row) ?? null;
        return (
          <div
            key={key}
            ref={virtualizer.measureElement}
            data-index={index}
            role={isTable ? "presentation" : "listitem"}
            aria-setsize={isTable ? undefined : rows.length}
            aria-posinset={isTable ? undefined : index + 1}
            className={classNames("absolute top-0 left-0 w-full", index > 0 && "border-line border-t")}
            style={{ transform: `translateY(${start - virtualizer.options.scrollMargin}px)` }}
          >
            {isTable ? (
              <TableRow row={row} columns={columns} template={template} position={index + 2} />
            ) : (
              <div className="relative px-4 py-3 hover:bg-sunken/60">{card(row)}</div>
            )}
            {open !== null && <Expansion isTable={isTable}>{open}</Expansion>}
          </div>
        );
      })}
    </div>
  );

  if (!isTable) {
    return (
      <div role="list" aria-label={label} className={FRAME}>
        {body}
      </div>
    );
  }
  return (
    <div role="table" aria-label={label} aria-rowcount={rows.length + 1} className={FRAME}>
      <div role="rowgroup" className="border-line border-b bg-sunken/50">
        <div
          role="row"
          aria-rowindex={1}
          className="grid items-center gap-4 px-4"
          style={{ gridTemplateColumns: template }}
        >
          {columns.map((column) => (
            <HeaderCell key={column.id} column={column} sort={sort} onSort={onSort} />
          ))}
        </div>
      </div>
      {body}
    </div>
  );
}

const FRAME = "overflow-clip rounded-lg border border-line bg-surface";

interface TableRowProps<Row> {
  readonly row: Row;
  readonly columns: readonly Column<Row>[];
  readonly template: string;
  readonly position: number;
}

const PlainTableRow = <Row,>({ row, columns, template, position }: TableRowProps<Row>) => (
  <div
    role="row"
    aria-rowindex={position}
    className="relative grid min-h-13 items-center gap-4 px-4 py-2 hover:bg-sunken/60"
    style={{ gridTemplateColumns: template }}
  >
    {columns.map(({ id, align, cell }) => (
      <div key={id} role="cell" className={classNames("min-w-0", align === "end" && "text-right")}>
        {cell(row)}
      </div>
    ))}
  </div>
);

/** Scrolling draws the table again with each frame: rows that stay are left as they are. */
const TableRow = memo(PlainTableRow) as typeof PlainTableRow;

/** A table's children have to be rows and cells. */
const Expansion = ({ isTable, children }: { readonly isTable: boolean; readonly children: ReactNode }) => (
  <div role={isTable ? "row" : undefined}>
    <div role={isTable ? "cell" : undefined} className="border-line border-t bg-sunken/40 px-4 py-4">
      {children}
    </div>
  </div>
);

function useVirtualRows<Row>(rows: readonly Row[], toKey: (row: Row) => string, rowHeight: number) {
  const listRef = useRef<HTMLDivElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  const [overscan, setOverscan] = useState(FIRST_OVERSCAN);
  useEffect(() => whenIdle(() => setOverscan(OVERSCAN)), []);
  // What stands above may grow and shrink: it is looked up with each drawing, and set only when it changed.
  useLayoutEffect(() => {
    const top = listRef.current?.getBoundingClientRect().top ?? 0;
    setScrollMargin(Math.round(top + window.scrollY));
  });
  const [initialRect] = useState(readWindowSize);
  // The same one while the rows are: with another one, all rows are laid out anew, at each frame of scrolling.
  const getItemKey = useCallback(
    (index: number) => {
      const row = rows[index];
      return row === undefined ? index : toKey(row);
    },
    [rows, toKey],
  );
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeight,
    getItemKey,
    overscan,
    scrollMargin,
    // Rows are there with the first drawing, not only when the window was measured.
    initialRect,
  });
  return { listRef, virtualizer };
}
