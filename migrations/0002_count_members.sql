ALTER TABLE `meshes` ADD `member_count` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `meshes` ADD `member_count_revision` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `meshes` SET `member_count` = (SELECT count(*) FROM `memberships` WHERE `memberships`.`mesh_id` = `meshes`.`id`);
