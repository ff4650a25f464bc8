-- +goose Up
-- Open incidents of one grid and category, to find what is known already.
CREATE INDEX ticket_near ON ticket (community, grid, category, filed_at DESC) WHERE ended_at IS NULL AND kind = 'incident';

-- What workers said that messages are about, to learn from.
CREATE TABLE sample (
    community text        NOT NULL REFERENCES community,
    number    bigint      NOT NULL,                -- the ticket
    body      text        NOT NULL,                -- what the resident wrote
    guess     text        NOT NULL,                -- what the desk had taken it for
    kind      text        NOT NULL,
    category  text        NOT NULL,
    severity  text        NOT NULL,
    by        bigint      NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (community, number)
);

-- +goose Down
DROP TABLE sample;
DROP INDEX ticket_near;
