-- +goose Up
-- What the weekly digest counts, by time. Most events are none of these.
CREATE INDEX event_counted ON event (community, at, number)
    WHERE type IN ('filed', 'accepted', 'claimed', 'resolved', 'reopened', 'split', 'rated', 'overdue', 'escalated', 'closed_by_time');
CREATE INDEX IF NOT EXISTS ticket_filed ON ticket (community, filed_at, number);
CREATE INDEX message_at ON message (community, at) WHERE type NOT LIKE 'event%';

-- Digests as they were sent, for ever.
CREATE TABLE digest (
    community text        NOT NULL REFERENCES community,
    week      text        NOT NULL,                 -- 2026-W47
    body      jsonb       NOT NULL,
    sent_at   timestamptz NOT NULL,
    PRIMARY KEY (community, week)
);

-- Complaints that went to the hotline 12345: only how many and about what.
CREATE TABLE hotline (
    community text        NOT NULL REFERENCES community,
    number    text        NOT NULL,                 -- the hotline's own
    at        timestamptz NOT NULL,
    category  text        NOT NULL,                 -- as the hotline calls it
    grid      text        NOT NULL DEFAULT '',      -- '' where its address is not understood
    PRIMARY KEY (community, number)
);
CREATE INDEX hotline_at ON hotline (community, at);

-- +goose Down
DROP TABLE hotline, digest;
DROP INDEX message_at, ticket_filed, event_counted;
