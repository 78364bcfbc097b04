import { useState } from "react";

/** One for the life of a form: a second click, or a retry after a lost answer, creates nothing twice. */
export const useIdempotencyKey = (): string =>
  // Pages without TLS have no crypto.randomUUID.
  useState(() =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(""),
  )[0];
