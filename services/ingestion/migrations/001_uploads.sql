CREATE TABLE ingestion_uploads (
    upload_id TEXT NOT NULL PRIMARY KEY,
    batch_id TEXT NOT NULL,
    state TEXT NOT NULL,
    as_of BIGINT,
    display_name TEXT NOT NULL,
    labels TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    run_id TEXT,
    version BIGINT NOT NULL,
    parts BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);
CREATE INDEX ingestion_uploads_by_time ON ingestion_uploads (created_at, upload_id);
CREATE INDEX ingestion_uploads_by_state ON ingestion_uploads (state, updated_at);
CREATE TABLE ingestion_requests (
    request_id TEXT NOT NULL PRIMARY KEY,
    asked TEXT NOT NULL,
    upload_id TEXT NOT NULL
);
CREATE TABLE ingestion_streams (
    upload_id TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    next_offset BIGINT NOT NULL,
    PRIMARY KEY (upload_id, stream_id)
);
CREATE TABLE ingestion_parts (
    upload_id TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    first_offset BIGINT NOT NULL,
    table_name TEXT NOT NULL,
    records BIGINT NOT NULL,
    bad_records BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (upload_id, stream_id, first_offset)
);
