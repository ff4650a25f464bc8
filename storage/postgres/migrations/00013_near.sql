-- +goose Up
-- Known troubles are looked for where they are: in one building, or at one landmark.
DROP INDEX ticket_near;
CREATE INDEX ticket_near ON ticket (community, category, (body->'place'->>'estate'), (coalesce(body->'place'->>'building', '')), (coalesce(body->'place'->>'landmark', '')), filed_at DESC)
    WHERE ended_at IS NULL AND kind = 'incident';

-- +goose Down
DROP INDEX ticket_near;
CREATE INDEX ticket_near ON ticket (community, grid, category, filed_at DESC) WHERE ended_at IS NULL AND kind = 'incident';
