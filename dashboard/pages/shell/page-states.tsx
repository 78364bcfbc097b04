// What the router shows where no page is: not there yet, not at all, or broken.
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { buttonClass } from "../../components/button.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/states.tsx";

export const PageLoading = () => <LoadingState label="Loading the page" />;

export const NotFoundPage = () => (
  <div className="mx-auto max-w-xl px-4 py-24">
    <EmptyState
      icon={<Compass />}
      title="There is no such page"
      isWholePage
      action={
        <Link to="/machines" className={buttonClass()}>
          To the machines
        </Link>
      }
    />
  </div>
);

export const PageFailure = ({ error, reset }: ErrorComponentProps) => (
  <ErrorState
    title="This page failed"
    detail={error instanceof Error ? error.message : String(error)}
    onRetry={reset}
  />
);
