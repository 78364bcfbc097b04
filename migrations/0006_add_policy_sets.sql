CREATE TABLE `policy_sets` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`description` text NOT NULL,
	`default_action` text NOT NULL,
	`default_local_preference` integer,
	`rules` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `policy_sets_name_unique` ON `policy_sets` (`name`);--> statement-breakpoint
ALTER TABLE `machines` ADD `import_policy_set_id` text REFERENCES policy_sets(id);--> statement-breakpoint
ALTER TABLE `machines` ADD `export_policy_set_id` text REFERENCES policy_sets(id);--> statement-breakpoint
CREATE INDEX `machines_import_policy_set_id` ON `machines` (`import_policy_set_id`) WHERE import_policy_set_id is not null;--> statement-breakpoint
CREATE INDEX `machines_export_policy_set_id` ON `machines` (`export_policy_set_id`) WHERE export_policy_set_id is not null;--> statement-breakpoint
ALTER TABLE `meshes` ADD `import_policy_set_id` text REFERENCES policy_sets(id);--> statement-breakpoint
ALTER TABLE `meshes` ADD `export_policy_set_id` text REFERENCES policy_sets(id);