ALTER TABLE `machines` ADD `is_gateway` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `meshes` ADD `fallback` text DEFAULT 'relay' NOT NULL;