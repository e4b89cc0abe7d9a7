CREATE TABLE orchestrator_definitions (
    hash TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL
);

CREATE TABLE orchestrator_runs (
    run_id TEXT NOT NULL PRIMARY KEY,
    job TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    status TEXT NOT NULL,
    priority BIGINT NOT NULL,
    principal TEXT NOT NULL,
    definitions_hash TEXT NOT NULL,
    parent_run_id TEXT,
    config TEXT NOT NULL,
    tags TEXT NOT NULL,
    inputs TEXT NOT NULL,
    traceparent TEXT NOT NULL,
    failure TEXT,
    timed_out BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    last_sequence BIGINT NOT NULL
);
CREATE INDEX orchestrator_runs_by_status ON orchestrator_runs (status, run_id);
CREATE INDEX orchestrator_runs_by_batch ON orchestrator_runs (batch_id, run_id);

CREATE TABLE orchestrator_requests (
    request_id TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    run_id TEXT NOT NULL
);

CREATE TABLE orchestrator_steps (
    run_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    asset TEXT NOT NULL,
    upstream TEXT NOT NULL,
    datasets TEXT NOT NULL,
    max_attempts BIGINT NOT NULL,
    status TEXT NOT NULL,
    memoized BIGINT NOT NULL,
    resolution TEXT,
    outputs TEXT NOT NULL,
    metadata TEXT NOT NULL,
    failure TEXT,
    started_at BIGINT,
    ended_at BIGINT,
    PRIMARY KEY (run_id, position)
);

CREATE TABLE orchestrator_tasks (
    task_id TEXT NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    shard BIGINT NOT NULL,
    status TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    outputs TEXT NOT NULL,
    metadata TEXT NOT NULL
);
CREATE INDEX orchestrator_tasks_by_run ON orchestrator_tasks (run_id, position, shard);

CREATE TABLE orchestrator_attempts (
    task_id TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    dispatched_at BIGINT NOT NULL,
    worker_id TEXT,
    started_at BIGINT,
    ended_at BIGINT,
    outcome TEXT,
    PRIMARY KEY (task_id, attempt)
);

CREATE TABLE orchestrator_events (
    run_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    asset TEXT,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    task_id TEXT,
    details TEXT NOT NULL,
    PRIMARY KEY (run_id, sequence)
);

CREATE TABLE orchestrator_materializations (
    materialization_id TEXT NOT NULL PRIMARY KEY,
    asset TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    version_key TEXT NOT NULL,
    run_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    outputs TEXT NOT NULL,
    metadata TEXT NOT NULL
);
CREATE INDEX orchestrator_materializations_by_key
    ON orchestrator_materializations (asset, batch_id, version_key, materialization_id);

CREATE TABLE orchestrator_current (
    asset TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    materialization_id TEXT NOT NULL,
    PRIMARY KEY (asset, batch_id)
);
