declare namespace Cloudflare {
  interface Env {
    TEST_MIGRATIONS: import("cloudflare:test").D1Migration[];
    /** A factor of what property tests try, and their seed; empty: usual, and any. */
    BECKET_FUZZ_RUNS: string;
    BECKET_FUZZ_SEED: string;
  }
}
