CREATE TABLE scorecards_versions (
    version TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    status TEXT NOT NULL,
    -- The whole card, JSON. Nothing in it is ever edited.
    card TEXT NOT NULL,
    -- The gate report of a refined card, JSON; NULL for a card that came without one.
    gates TEXT,
    author TEXT NOT NULL,
    approver TEXT,
    note TEXT,
    self_approved BIGINT NOT NULL,
    parent TEXT,
    model_id TEXT,
    run_id TEXT,
    blend DOUBLE PRECISION NOT NULL,
    created_at BIGINT NOT NULL,
    activated_at BIGINT,
    CONSTRAINT scorecards_versions_hash UNIQUE (hash)
);
CREATE UNIQUE INDEX scorecards_versions_one_active ON scorecards_versions (status) WHERE status = 'active';
CREATE INDEX scorecards_versions_newest ON scorecards_versions (created_at, version);
