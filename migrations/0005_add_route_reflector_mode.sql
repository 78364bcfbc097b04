ALTER TABLE `meshes` ADD `route_reflector_mode` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `meshes` ADD `gateway_count` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `meshes` ADD `routing_revision` integer DEFAULT 0 NOT NULL;