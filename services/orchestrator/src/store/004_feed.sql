-- The events of all runs in one order: numbers are given out in the leader's transactions, which are one after another.
-- Events that were written before have none.
ALTER TABLE orchestrator_leader ADD COLUMN last_position BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orchestrator_events ADD COLUMN position BIGINT NOT NULL DEFAULT 0;
CREATE INDEX orchestrator_events_by_position ON orchestrator_events (position);
ALTER TABLE orchestrator_materializations ADD COLUMN inputs TEXT NOT NULL DEFAULT '[]';
