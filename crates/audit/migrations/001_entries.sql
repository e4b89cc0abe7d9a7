-- Who did what to what, one chain of entries per service. Rows are appended and never changed; each carries the hash of the
-- one before. Nothing that is old is removed from here.
CREATE TABLE audit_entries (
    service TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    principal TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- JSON with sorted keys and no blanks.
    details TEXT NOT NULL,
    -- Empty where the call gave none, or was in no trace.
    request_id TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (service, sequence)
);
CREATE INDEX audit_entries_time ON audit_entries (created_at, service, sequence);
CREATE INDEX audit_entries_subject ON audit_entries (subject, created_at);
CREATE INDEX audit_entries_request ON audit_entries (service, request_id);
