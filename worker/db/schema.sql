CREATE TABLE `api_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`token_hash` text NOT NULL,
	`role` text NOT NULL,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL
);

CREATE UNIQUE INDEX `api_tokens_token_hash_unique` ON `api_tokens` (`token_hash`);

CREATE TABLE `audit_events` (
	`id` text PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`actor_kind` text NOT NULL,
	`actor_id` text,
	`actor_name` text NOT NULL,
	`action` text NOT NULL,
	`subject_id` text NOT NULL,
	`mesh_id` text,
	`details` text NOT NULL,
	`request_id` text NOT NULL
);

CREATE INDEX `audit_events_action` ON `audit_events` (`action`,`id`);

CREATE INDEX `audit_events_actor_id` ON `audit_events` (`actor_id`,`id`);

CREATE INDEX `audit_events_mesh_id` ON `audit_events` (`mesh_id`,`id`);

CREATE INDEX `audit_events_subject_id` ON `audit_events` (`subject_id`,`id`);

CREATE TABLE `idempotency_keys` (
	`key_hash` text PRIMARY KEY NOT NULL,
	`request_hash` text NOT NULL,
	`claim_id` text NOT NULL,
	`claimed_until` integer NOT NULL,
	`sealed_answer` text,
	`expires_at` integer NOT NULL
);

CREATE INDEX `idempotency_keys_expires_at` ON `idempotency_keys` (`expires_at`);

CREATE TABLE `join_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`token_hash` text NOT NULL,
	`expires_at` integer NOT NULL,
	`max_uses` integer,
	`uses` integer DEFAULT 0 NOT NULL,
	`mesh_ids` text,
	`revoked_at` integer,
	`created_at` integer NOT NULL
, `tags` text DEFAULT '[]' NOT NULL);

CREATE UNIQUE INDEX `join_tokens_token_hash_unique` ON `join_tokens` (`token_hash`);

CREATE TABLE `login_links` (
	`id` text PRIMARY KEY NOT NULL,
	`token_hash` text NOT NULL,
	`user_id` text NOT NULL,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL
);

CREATE INDEX `login_links_expires_at` ON `login_links` (`expires_at`);

CREATE UNIQUE INDEX `login_links_token_hash_unique` ON `login_links` (`token_hash`);

CREATE TABLE `machines` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`identity_key` text NOT NULL,
	`agent` text,
	`join_token_id` text,
	`enrolled_at` integer,
	`created_at` integer NOT NULL
, `is_gateway` integer DEFAULT false NOT NULL, `import_policy_set_id` text REFERENCES policy_sets(id), `export_policy_set_id` text REFERENCES policy_sets(id), `tags` text DEFAULT '[]' NOT NULL, `identity_key_since` integer, `former_identity_key` text);

CREATE INDEX `machines_export_policy_set_id` ON `machines` (`export_policy_set_id`) WHERE export_policy_set_id is not null;

CREATE INDEX `machines_gateways` ON `machines` (`id`) WHERE is_gateway = 1;

CREATE UNIQUE INDEX `machines_identity_key_unique` ON `machines` (`identity_key`);

CREATE INDEX `machines_import_policy_set_id` ON `machines` (`import_policy_set_id`) WHERE import_policy_set_id is not null;

CREATE UNIQUE INDEX `machines_name_unique` ON `machines` (`name`);

CREATE TABLE `memberships` (
	`mesh_id` text NOT NULL,
	`machine_id` text NOT NULL,
	`address` text NOT NULL,
	`address6` text NOT NULL,
	`revision` integer NOT NULL,
	`joined_at` integer NOT NULL,
	PRIMARY KEY(`machine_id`, `mesh_id`)
);

CREATE INDEX `memberships_mesh_id` ON `memberships` (`mesh_id`,`machine_id`);

CREATE TABLE `meshes` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`cidr` text NOT NULL,
	`cidr6` text NOT NULL,
	`asn` integer NOT NULL,
	`is_default` integer DEFAULT false NOT NULL,
	`created_at` integer NOT NULL
, `member_count` integer DEFAULT 0 NOT NULL, `member_count_revision` integer DEFAULT 0 NOT NULL, `fallback` text DEFAULT 'relay' NOT NULL, `vip_count` integer DEFAULT 0 NOT NULL, `vip_count_revision` integer DEFAULT 0 NOT NULL, `route_reflector_mode` integer DEFAULT false NOT NULL, `gateway_count` integer DEFAULT 0 NOT NULL, `routing_revision` integer DEFAULT 0 NOT NULL, `import_policy_set_id` text REFERENCES policy_sets(id), `export_policy_set_id` text REFERENCES policy_sets(id), `key_rotation_days` integer);

CREATE UNIQUE INDEX `meshes_asn_unique` ON `meshes` (`asn`);

CREATE UNIQUE INDEX `meshes_name_unique` ON `meshes` (`name`);

CREATE UNIQUE INDEX `meshes_one_default` ON `meshes` (`is_default`) WHERE is_default = 1;

CREATE TABLE `policy_sets` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`description` text NOT NULL,
	`default_action` text NOT NULL,
	`default_local_preference` integer,
	`rules` text NOT NULL,
	`created_at` integer NOT NULL
);

CREATE UNIQUE INDEX `policy_sets_name_unique` ON `policy_sets` (`name`);

CREATE TABLE `removed_machines` (
	`id` text PRIMARY KEY NOT NULL,
	`identity_key` text NOT NULL,
	`removed_at` integer NOT NULL
);

CREATE UNIQUE INDEX `removed_machines_identity_key_unique` ON `removed_machines` (`identity_key`);

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

CREATE INDEX `rollout_machines_state` ON `rollout_machines` (`rollout_id`,`state`,`is_away`,`machine_id`);

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

CREATE UNIQUE INDEX `rollouts_one_open` ON `rollouts` (`is_open`) WHERE is_open = 1;

CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`token_hash` text NOT NULL,
	`user_id` text NOT NULL,
	`signed_in_by` text NOT NULL,
	`user_agent` text,
	`created_at` integer NOT NULL,
	`last_used_at` integer NOT NULL,
	`expires_at` integer NOT NULL
);

CREATE INDEX `sessions_expires_at` ON `sessions` (`expires_at`);

CREATE UNIQUE INDEX `sessions_token_hash_unique` ON `sessions` (`token_hash`);

CREATE INDEX `sessions_user_id` ON `sessions` (`user_id`,`id`);

CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`issuer` text NOT NULL,
	`subject` text NOT NULL,
	`name` text NOT NULL,
	`email` text,
	`role` text NOT NULL,
	`is_blocked` integer DEFAULT false NOT NULL,
	`created_at` integer NOT NULL,
	`last_sign_in_at` integer
);

CREATE UNIQUE INDEX `users_identity_unique` ON `users` (`issuer`,`subject`);
