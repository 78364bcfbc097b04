// Ties a lab's life to this process: it goes when the process exits, by itself, by an uncaught error or by a signal.
// A program that handles signals itself (to stop things in order) keeps doing so; its exit cleans what it forgot.
import { removeLabNow } from "./record.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

export interface Ownership {
  /** From here on the lab's life is the caller's business. Idempotent. */
  end(): void;
}

export function createOwnership(labId: string): Ownership {
  const onExit = () => removeLabNow(labId);
  const onSignal = (signal: (typeof SIGNALS)[number]) => {
    // With several labs each has such a listener; any other listener is the program's own.
    if (process.listeners(signal).every((listener) => listeners.has(listener))) process.exit(EXIT_CODES[signal]);
  };
  process.on("exit", onExit);
  listeners.add(onSignal);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    end: () => {
      process.off("exit", onExit);
      for (const signal of SIGNALS) process.off(signal, onSignal);
      listeners.delete(onSignal);
    },
  };
}

/** The signal listeners of this module, over all labs of this process: a process's signals are one per process too. */
const listeners = new Set<(...args: never[]) => void>();
