-- +goose Up
-- Lists of work go by what was promised, not by when somebody is reminded of it:
-- what is late by since when, the rest by the next promise. See
-- workflow.Ticket.Pressing.
ALTER TABLE ticket ADD COLUMN pressing timestamptz;
UPDATE ticket SET pressing = coalesce(late_since, CASE WHEN body->'question'->>'pauses' IS DISTINCT FROM 'true' THEN least(
        (body->'due'->>'response')::timestamptz, (body->'due'->>'feedback')::timestamptz, (body->'due'->>'resolve')::timestamptz,
        (body->'due'->>'unclaimed')::timestamptz, (body->'due'->>'tray')::timestamptz, (body->'due'->>'visit')::timestamptz) END)
    WHERE ended_at IS NULL;
DROP INDEX ticket_owned, ticket_tray, ticket_risen;
CREATE INDEX ticket_owned ON ticket (community, owner, pressing, number) WHERE ended_at IS NULL;
CREATE INDEX ticket_tray ON ticket (community, grid, pressing, number) WHERE ended_at IS NULL AND stand = 'tray';
CREATE INDEX ticket_risen ON ticket (community, pressing, number) WHERE ended_at IS NULL AND level >= 2;

-- +goose Down
DROP INDEX ticket_owned, ticket_tray, ticket_risen;
CREATE INDEX ticket_owned ON ticket (community, owner, next_due, number) WHERE ended_at IS NULL;
CREATE INDEX ticket_tray ON ticket (community, grid, next_due, number) WHERE ended_at IS NULL AND stand = 'tray';
CREATE INDEX ticket_risen ON ticket (community, next_due, number) WHERE ended_at IS NULL AND level >= 2;
ALTER TABLE ticket DROP COLUMN pressing;
