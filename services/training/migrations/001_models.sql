CREATE TABLE training_models (
    model_id TEXT NOT NULL PRIMARY KEY,
    -- The document of the lake's `model` dataset, JSON.
    document TEXT NOT NULL,
    run_id TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX training_models_newest ON training_models (created_at, model_id);
