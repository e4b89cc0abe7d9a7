-- Versions of the decision rules. All but how a version stands is as it was proposed.
CREATE TABLE scorecards_rule_sets (
    version BIGINT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    -- JSON, in the order in which they run.
    rules TEXT NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    status TEXT NOT NULL,
    approver TEXT,
    self_approved BIGINT NOT NULL,
    activated_at BIGINT,
    -- Sequence of the last audit entry about this version.
    revision BIGINT NOT NULL
);
CREATE UNIQUE INDEX scorecards_rule_sets_one_active ON scorecards_rule_sets (status) WHERE status = 'active';
