ALTER TABLE `machines` ADD `identity_key_since` integer;--> statement-breakpoint
ALTER TABLE `machines` ADD `former_identity_key` text;