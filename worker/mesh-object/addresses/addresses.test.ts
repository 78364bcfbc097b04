import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { migrate } from "../../durable/migrate.ts";
import { createDatabase } from "../../durable/sqlite.ts";
import { createMemoryAddressStorage } from "../../testing/memory-address-storage.ts";
import { ADDRESSES_MIGRATION, createAddressStorage } from "./address-storage.ts";
import { describeAddressPool } from "./addresses.contract.ts";

describeAddressPool("memory", async (use) => use(createMemoryAddressStorage));

describeAddressPool("SQLite", (use) =>
  runInDurableObject(env.MESH.get(env.MESH.newUniqueId()), (_, state) => {
    const db = createDatabase(state.storage);
    migrate(db, [ADDRESSES_MIGRATION]);
    use(() => {
      db.run("DELETE FROM free_ranges");
      db.run("DELETE FROM quarantined");
      return createAddressStorage(db);
    });
  }),
);
