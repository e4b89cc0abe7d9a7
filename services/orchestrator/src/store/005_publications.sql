CREATE TABLE orchestrator_publications (
    position BIGINT NOT NULL PRIMARY KEY,
    asset TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    materialization_id TEXT NOT NULL,
    published_at BIGINT NOT NULL
);
CREATE INDEX orchestrator_publications_by_asset ON orchestrator_publications (asset, position);

-- What is current: the log begins with the last publication of each batch, which is all that anybody can ask for.
INSERT INTO orchestrator_publications (position, asset, batch_id, materialization_id, published_at)
SELECT ROW_NUMBER() OVER (ORDER BY m.materialization_id), m.asset, m.batch_id, m.materialization_id, m.created_at
FROM orchestrator_materializations m JOIN orchestrator_current c ON c.materialization_id = m.materialization_id;
