CREATE TABLE labels_outcomes (
    outcome_id BIGINT NOT NULL PRIMARY KEY,
    party_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    days_past_due BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    source TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    CONSTRAINT labels_outcomes_once UNIQUE (party_id, kind, days_past_due, occurred_at, source)
);
CREATE INDEX labels_outcomes_by_time ON labels_outcomes (occurred_at);
