// The states of a question to the control plane, the same everywhere: loading, error with its request id, or what the page makes of it.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { isApiError } from "../api/api-error.ts";
import { ErrorState, LoadingState } from "../components/states.tsx";

interface QueryViewProps<Data> {
  readonly query: UseQueryResult<Data>;
  readonly loading?: ReactNode;
  /** For errors that the page has better words for. */
  readonly onError?: (error: Error) => ReactNode | undefined;
  readonly children: (data: Data) => ReactNode;
}

export function QueryView<Data>({ query, loading, onError, children }: QueryViewProps<Data>) {
  const { data, error, isFetching, refetch } = query;
  const retry = { onRetry: () => void refetch(), isRetrying: isFetching };
  const ownWords = error ? onError?.(error) : undefined;
  if (ownWords !== undefined) return ownWords;
  if (data === undefined) return error ? <QueryError error={error} {...retry} /> : (loading ?? <LoadingState />);
  return (
    <>
      {error && (
        <div className="mb-4">
          <QueryError error={error} isStale {...retry} />
        </div>
      )}
      {children(data)}
    </>
  );
}

interface QueryErrorProps {
  readonly error: Error;
  /** What is shown below is what was known before. */
  readonly isStale?: boolean;
  readonly onRetry?: () => void;
  readonly isRetrying?: boolean;
}

export function QueryError({ error, isStale = false, ...retry }: QueryErrorProps) {
  const known = isApiError(error) ? error : null;
  const detail = known?.detail ?? (known === null ? "This is a fault of the page itself." : null);
  const note = isStale ? "What is shown is the last that was known." : null;
  return (
    <ErrorState
      title={error.message}
      detail={[detail, note].filter(Boolean).join(" ") || null}
      requestId={known?.requestId ?? null}
      {...retry}
    />
  );
}

interface FormErrorProps {
  readonly error: Error | null;
  /** Fields at which their own faults stand. */
  readonly fields?: readonly string[];
}

/** Above a form's buttons: why the change was refused, unless the fields tell all of it. */
export function FormError({ error, fields = [] }: FormErrorProps) {
  if (error === null || isToldAt(fields, error)) return null;
  return <QueryError error={error} />;
}

const isToldAt = (fields: readonly string[], error: Error): boolean =>
  isApiError(error) && error.fields.length > 0 && error.fields.every(({ path }) => fields.includes(path));
