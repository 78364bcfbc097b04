import { Link } from "@tanstack/react-router";
import { Badge } from "../../../components/badge.tsx";

interface TagListProps {
  readonly tags: readonly string[];
  /** Of more, how many; left out: all are shown. */
  readonly most?: number;
  /** Each leads to the machines that have it. */
  readonly isLinked?: boolean;
}

export function TagList({ tags, most = tags.length, isLinked = false }: TagListProps) {
  const others = tags.slice(most);
  return (
    <span className="flex min-w-0 flex-wrap gap-1">
      {tags.slice(0, most).map((tag) =>
        isLinked ? (
          <Link key={tag} to="/machines" search={{ tag }} className="rounded-full hover:underline">
            <Badge>{tag}</Badge>
          </Link>
        ) : (
          <Badge key={tag}>{tag}</Badge>
        ),
      )}
      {others.length > 0 && <Badge title={others.join(" ")}>+{others.length}</Badge>}
    </span>
  );
}
