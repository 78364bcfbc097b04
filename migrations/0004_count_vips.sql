ALTER TABLE `meshes` ADD `vip_count` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `meshes` ADD `vip_count_revision` integer DEFAULT 0 NOT NULL;