-- +goose Up
-- Newest first is by the time of filing everywhere: numbers come in blocks and
-- tell it only nearly. These two stood on the number.
DROP INDEX ticket_open, ticket_reported;
CREATE INDEX ticket_open ON ticket (community, filed_at, number) WHERE ended_at IS NULL;
CREATE INDEX ticket_reported ON ticket (community, reporter, filed_at DESC, number DESC);
CREATE INDEX ticket_handled ON ticket (community, owner, filed_at DESC, number DESC) WHERE owner > 0;

-- Since when a promise is missed; NULL while none is, and once it has ended.
ALTER TABLE ticket ADD COLUMN late_since timestamptz;
UPDATE ticket t SET late_since = coalesce(
        (SELECT min(e.at) FROM event e WHERE e.community = t.community AND e.number = t.number AND e.type = 'overdue'
            AND t.body->'overdue' ? (e.body->>'clock') AND e.at >= (t.body->>'since')::timestamptz),
        (SELECT max(e.at) FROM event e WHERE e.community = t.community AND e.number = t.number AND e.type = 'overdue'),
        t.filed_at)
    WHERE t.ended_at IS NULL AND t.body ? 'overdue';
CREATE INDEX ticket_late ON ticket (community, late_since, number) WHERE late_since IS NOT NULL;

-- By what words tickets are found. Every lexeme begins with the community and
-- the week of the filing, so that one community's search reads no other's
-- postings, a time is read without those around it, and what is written now lies
-- together. New ones gather in a list, which every look-up reads: a short one.
CREATE TABLE ticket_words (
    community text        NOT NULL,
    number    bigint      NOT NULL,
    filed_at  timestamptz NOT NULL,                 -- the ticket's
    words     tsvector    NOT NULL,
    PRIMARY KEY (community, number)
) WITH (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000); -- which empties the list below
ALTER TABLE ticket_words ALTER COLUMN words SET STATISTICS 0, ALTER COLUMN community SET STATISTICS 10,
    ALTER COLUMN number SET STATISTICS 10, ALTER COLUMN filed_at SET STATISTICS 10;
CREATE INDEX ticket_words_found ON ticket_words USING gin (words) WITH (gin_pending_list_limit = 2048);

-- The number up to which old tickets' words are written; communities made from
-- now on have none.
ALTER TABLE community ADD COLUMN worded bigint NOT NULL DEFAULT 0;
ALTER TABLE community ALTER COLUMN worded SET DEFAULT 9223372036854775807;

-- +goose Down
ALTER TABLE community DROP COLUMN worded;
DROP TABLE ticket_words;
DROP INDEX ticket_late, ticket_handled, ticket_reported, ticket_open;
ALTER TABLE ticket DROP COLUMN late_since;
CREATE INDEX ticket_open ON ticket (community, number) WHERE ended_at IS NULL;
CREATE INDEX ticket_reported ON ticket (community, reporter, number DESC);
