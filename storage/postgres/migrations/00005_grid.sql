-- +goose Up
-- Leave, and who is found by a telephone number when a worker files for them.
ALTER TABLE person ADD COLUMN away_from timestamptz, ADD COLUMN away_until timestamptz;
CREATE INDEX person_phone ON person (community, phone) WHERE phone <> '';

-- The shape that open tickets have followed: who left, which building moved.
ALTER TABLE community ADD COLUMN followed bigint NOT NULL DEFAULT 0;

-- Copies of what the ticket's body says, for finding it.
ALTER TABLE ticket
    ADD COLUMN helpers bigint[] NOT NULL DEFAULT '{}',    -- who has an open part of it
    ADD COLUMN support integer NOT NULL DEFAULT 0,        -- neighbours who wish the same
    ADD COLUMN outside boolean NOT NULL DEFAULT false,    -- it left its grid's hands
    ADD COLUMN resolved_at timestamptz;                   -- resolved last
CREATE INDEX ticket_helped ON ticket USING gin (helpers) WHERE ended_at IS NULL AND helpers <> '{}';
CREATE INDEX ticket_wished ON ticket (community, support DESC, number) WHERE ended_at IS NULL AND stand = 'wall' AND support > 0;
CREATE INDEX ticket_solved ON ticket (community, resolved_at, grid, outside) WHERE resolved_at IS NOT NULL;

-- People whom a worker visits in a rhythm: low-income, disabled, living alone.
CREATE TABLE care (
    community  text        NOT NULL REFERENCES community,
    id         bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    key        text        NOT NULL,                -- name and place: the same person twice is one
    name       text        NOT NULL,
    phone      text        NOT NULL DEFAULT '',
    kind       text        NOT NULL,
    place      jsonb       NOT NULL,
    grid       text        NOT NULL,
    note       text        NOT NULL DEFAULT '',
    every      integer     NOT NULL CHECK (every > 0), -- days
    last_visit timestamptz,
    next_visit timestamptz NOT NULL,
    ended_at   timestamptz,
    PRIMARY KEY (community, id)
);
CREATE UNIQUE INDEX care_key ON care (community, key);
CREATE INDEX care_due ON care (community, grid, next_visit, id) WHERE ended_at IS NULL;
CREATE INDEX care_name ON care (community, name) WHERE ended_at IS NULL;

-- Patrols and visits, as workers record them.
CREATE TABLE round (
    community text        NOT NULL REFERENCES community,
    id        text        NOT NULL,                 -- of the message that brought it
    kind      text        NOT NULL,                 -- patrol, visit
    person    bigint      NOT NULL,
    grid      text        NOT NULL,
    place     jsonb       NOT NULL,
    body      text        NOT NULL,
    media     text[]      NOT NULL DEFAULT '{}',
    care      bigint      NOT NULL DEFAULT 0,       -- whom of the care list it was to
    number    bigint      NOT NULL DEFAULT 0,       -- the ticket that came of it
    at        timestamptz NOT NULL,
    PRIMARY KEY (community, id)
);
CREATE INDEX round_person ON round (community, person, at DESC);
CREATE INDEX round_grid ON round (community, grid, at DESC);
CREATE INDEX round_care ON round (community, care, at DESC) WHERE care <> 0;

-- +goose Down
DROP TABLE round, care;
DROP INDEX ticket_solved, ticket_wished, ticket_helped;
ALTER TABLE ticket DROP COLUMN resolved_at, DROP COLUMN outside, DROP COLUMN support, DROP COLUMN helpers;
ALTER TABLE community DROP COLUMN followed;
DROP INDEX person_phone;
ALTER TABLE person DROP COLUMN away_until, DROP COLUMN away_from;
