-- +goose Up
-- Since when each estate is inspected by the standard that holds (workflow.PatrolsSince);
-- one that is not named, since long ago.
ALTER TABLE community ADD COLUMN patrols jsonb NOT NULL DEFAULT '{}';

-- +goose Down
ALTER TABLE community DROP COLUMN patrols;
