import type { ReactNode } from "react";
import type { ViewportStep } from "../../browser/use-viewport.ts";

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  /** A grid track: `minmax(12rem, 2fr)`, `7rem`. */
  readonly track: string;
  /** Left out of the table below this width. */
  readonly from?: ViewportStep;
  readonly isSortable?: boolean;
  readonly align?: "end";
  /** For columns of buttons: the header is for screen readers only. */
  readonly isHeaderHidden?: boolean;
}

/** Buttons for each row, at its end. */
export const actionsColumn = <Row>(cell: Column<Row>["cell"], track = "5rem"): Column<Row> => ({
  id: "actions",
  header: "Actions",
  isHeaderHidden: true,
  align: "end",
  track,
  cell,
});

/** How a list is sorted, as it stands in the URL: `name`, or `-name` for the other way round. */
export interface Sorting {
  readonly columnId: string;
  readonly isDescending: boolean;
}

export const parseSorting = (text: string): Sorting =>
  text.startsWith("-") ? { columnId: text.slice(1), isDescending: true } : { columnId: text, isDescending: false };

/** What a press on a column's header asks for: that column, or the other way round. */
export const toggleSorting = (now: string, columnId: string): string => (now === columnId ? `-${columnId}` : columnId);
