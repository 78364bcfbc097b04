ALTER TABLE `join_tokens` ADD `tags` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `machines` ADD `tags` text DEFAULT '[]' NOT NULL;