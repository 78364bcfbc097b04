CREATE TABLE `rollout_machines` (
	`rollout_id` text NOT NULL,
	`machine_id` text NOT NULL,
	`name` text NOT NULL,
	`state` text NOT NULL,
	`is_away` integer DEFAULT false NOT NULL,
	`detail` text,
	`at` integer NOT NULL,
	PRIMARY KEY(`rollout_id`, `machine_id`)
);
--> statement-breakpoint
CREATE INDEX `rollout_machines_state` ON `rollout_machines` (`rollout_id`,`state`,`is_away`,`machine_id`);--> statement-breakpoint
CREATE TABLE `rollouts` (
	`id` text PRIMARY KEY NOT NULL,
	`build_version` text NOT NULL,
	`build_sha256` text NOT NULL,
	`at_once` integer NOT NULL,
	`state` text NOT NULL,
	`is_open` integer DEFAULT true NOT NULL,
	`reason` text,
	`started_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`ended_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `rollouts_one_open` ON `rollouts` (`is_open`) WHERE is_open = 1;