-- Notes on gates that were given at approval, JSON, by gate.
ALTER TABLE scorecards_versions ADD COLUMN gate_notes TEXT NOT NULL DEFAULT '{}';
ALTER TABLE scorecards_versions ADD COLUMN missing_link TEXT;
-- JSON; NULL for a card that came without one.
ALTER TABLE scorecards_versions ADD COLUMN model_card TEXT;
ALTER TABLE scorecards_versions ADD COLUMN shadow BIGINT NOT NULL DEFAULT 0;
-- Sequence of the last audit entry about this version.
ALTER TABLE scorecards_versions ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX scorecards_versions_one_shadow ON scorecards_versions (shadow) WHERE shadow = 1;

-- Who did what to which version. Rows are appended and never changed; each carries the hash of the one before.
CREATE TABLE scorecards_audit (
    sequence BIGINT NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    principal TEXT NOT NULL,
    action TEXT NOT NULL,
    version TEXT NOT NULL,
    card_hash TEXT NOT NULL,
    reason TEXT NOT NULL,
    details TEXT NOT NULL,
    -- Of the request that made the entry, as in its details; NULL where it gave none.
    request_id TEXT,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    CONSTRAINT scorecards_audit_request UNIQUE (request_id)
);
CREATE INDEX scorecards_audit_version ON scorecards_audit (version, sequence);
