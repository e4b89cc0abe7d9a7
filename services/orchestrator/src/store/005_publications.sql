CREATE TABLE orchestrator_publications (
    position BIGINT NOT NULL PRIMARY KEY,
    asset TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    materialization_id TEXT NOT NULL,
    published_at BIGINT NOT NULL
);
CREATE INDEX orchestrator_publications_by_asset ON orchestrator_publications (asset, position);

INSERT INTO orchestrator_publications (position, asset, batch_id, materialization_id, published_at)
SELECT ROW_NUMBER() OVER (ORDER BY materialization_id), asset, batch_id, materialization_id, created_at
FROM orchestrator_materializations;
