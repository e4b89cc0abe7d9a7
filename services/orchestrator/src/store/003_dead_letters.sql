ALTER TABLE orchestrator_steps ADD COLUMN max_deliveries BIGINT NOT NULL DEFAULT 3;
ALTER TABLE orchestrator_tasks ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orchestrator_tasks ADD COLUMN losses BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orchestrator_tasks ADD COLUMN hand_backs BIGINT NOT NULL DEFAULT 0;

CREATE TABLE orchestrator_dead_letters (
    dead_letter_id TEXT NOT NULL PRIMARY KEY,
    task_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    asset TEXT NOT NULL,
    lane TEXT NOT NULL,
    deliveries BIGINT NOT NULL,
    last_error TEXT NOT NULL,
    worker_id TEXT NOT NULL,
    task BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    replay_run_id TEXT,
    replayed_by TEXT,
    replayed_at BIGINT
);
CREATE INDEX orchestrator_dead_letters_by_run ON orchestrator_dead_letters (run_id, dead_letter_id);
CREATE INDEX orchestrator_requests_by_run ON orchestrator_requests (run_id);
CREATE INDEX orchestrator_runs_by_end ON orchestrator_runs (ended_at, run_id);
CREATE INDEX orchestrator_materializations_by_run ON orchestrator_materializations (run_id);
