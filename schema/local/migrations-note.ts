import { z } from "zod";

/** data/migrations.json of the one-box control plane: what its database has, without opening it. */
export const MigrationsNote = z.object({
  /** All that were ever begun; which of them a database has that nobody is done with is said by its own marks. */
  begun: z.array(z.string()),
  /** The database has them all. */
  isDone: z.boolean(),
});
export type MigrationsNote = z.infer<typeof MigrationsNote>;
