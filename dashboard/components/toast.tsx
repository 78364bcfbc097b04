// Short messages about what was done, told to screen readers too. They go by themselves; failures stay in the dialog that caused them.
import { CircleCheck } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from "react";
import { startTimer } from "../browser/start-timer.ts";

const SHOWN_MS = 4_000;

const ToastContext = createContext<(message: string) => void>(() => undefined);
export const useToast = () => useContext(ToastContext);

export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const [toast, setToast] = useState<{ readonly message: string; readonly number: number } | null>(null);
  const show = useCallback((message: string) => setToast((last) => ({ message, number: (last?.number ?? 0) + 1 })), []);
  useEffect(() => {
    if (toast === null) return;
    return startTimer(SHOWN_MS, () => setToast(null));
  }, [toast]);
  return (
    <ToastContext value={show}>
      {children}
      <div role="status" className="pointer-events-none fixed inset-x-0 bottom-4 z-60 flex justify-center px-4">
        {toast !== null && (
          <p
            key={toast.number}
            className="pointer-events-auto flex animate-appear items-center gap-2 rounded-lg border border-line bg-raised px-4 py-2.5 shadow-raised"
          >
            <CircleCheck aria-hidden className="size-4 text-good" />
            {toast.message}
          </p>
        )}
      </div>
    </ToastContext>
  );
}
