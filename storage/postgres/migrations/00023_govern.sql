-- +goose Up
-- What waits for somebody's vote is found however much is proposed after it.
CREATE INDEX topic_voting ON topic (community, scope, number DESC) WHERE state = 'voting';

-- Who a resident became by a binding code: the two are one.
ALTER TABLE person ADD COLUMN IF NOT EXISTS became bigint;
CREATE INDEX IF NOT EXISTS person_became ON person (community, became) WHERE became IS NOT NULL;
UPDATE person p SET became = b.person FROM bind_code b
    WHERE b.former > 0 AND p.community = b.community AND p.id = b.former AND p.openid IS NULL AND b.person <> p.id;

-- Their points come along: out of one purse by way of this account into the other.
ALTER TABLE ledger DROP CONSTRAINT ledger_gives_check, DROP CONSTRAINT ledger_takes_check,
    ADD CONSTRAINT ledger_gives_check CHECK (gives IN ('mint', 'purse', 'held', 'spent', 'lapsed', 'moved')),
    ADD CONSTRAINT ledger_takes_check CHECK (takes IN ('mint', 'purse', 'held', 'spent', 'lapsed', 'moved'));

-- +goose Down
ALTER TABLE ledger DROP CONSTRAINT ledger_gives_check, DROP CONSTRAINT ledger_takes_check,
    ADD CONSTRAINT ledger_gives_check CHECK (gives IN ('mint', 'purse', 'held', 'spent', 'lapsed')) NOT VALID,
    ADD CONSTRAINT ledger_takes_check CHECK (takes IN ('mint', 'purse', 'held', 'spent', 'lapsed')) NOT VALID;
DROP INDEX person_became;
ALTER TABLE person DROP COLUMN became;
DROP INDEX topic_voting;
