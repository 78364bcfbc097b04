import { Age } from "../age.tsx";
import type { Column } from "./columns.ts";

interface AgeColumn<Row> extends Pick<Column<Row>, "id" | "header" | "from"> {
  readonly track?: string;
  readonly toMoment: (row: Row) => string;
}

/** How long ago something was. */
export const ageColumn = <Row,>({ toMoment, track = "7rem", ...rest }: AgeColumn<Row>): Column<Row> => ({
  ...rest,
  track,
  cell: (row) => (
    <span className="text-muted">
      <Age at={toMoment(row)} />
    </span>
  ),
});
