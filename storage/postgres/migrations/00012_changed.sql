-- +goose Up
-- When something happened to a ticket last, so that other software can ask what
-- changed. It never goes back, whatever the clocks do.
ALTER TABLE ticket ADD COLUMN changed_at timestamptz NOT NULL DEFAULT '-infinity';
UPDATE ticket t SET changed_at = e.at
    FROM (SELECT community, number, max(at) AS at FROM event GROUP BY community, number) e
    WHERE t.community = e.community AND t.number = e.number;
CREATE INDEX ticket_changed ON ticket (community, changed_at) INCLUDE (filed_at, number);

-- +goose Down
DROP INDEX ticket_changed;
ALTER TABLE ticket DROP COLUMN changed_at;
