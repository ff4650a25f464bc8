-- +goose Up
-- What neighbours decide together (package workflow/topic).
CREATE TABLE topic (
    community text        NOT NULL REFERENCES community,
    number    bigint      NOT NULL,                 -- of the same numbers as tickets
    version   bigint      NOT NULL,
    state     text        NOT NULL,
    scope     text        NOT NULL,                 -- whose it is: topic.Scope.Key
    until     timestamptz,                          -- the end of the vote
    telling   text        NOT NULL DEFAULT '',      -- of what all who live there are being told
    body      jsonb       NOT NULL,
    PRIMARY KEY (community, number)
);
CREATE INDEX topic_scope ON topic (community, scope, number DESC);
CREATE INDEX topic_open ON topic (community, number) WHERE state IN ('proposed', 'talked', 'voting', 'counting') OR telling <> '';

-- Who voted, and, where the vote is open, what. No time: of a secret vote nothing may
-- lead from here to topic_tally.
CREATE TABLE topic_voter (
    community text   NOT NULL,
    number    bigint NOT NULL,
    voter     text   NOT NULL,                      -- the household, or the person: topic.Voter
    person    bigint NOT NULL,
    choice    text   NOT NULL DEFAULT '',           -- '' where the vote is secret
    PRIMARY KEY (community, number, voter),
    FOREIGN KEY (community, number) REFERENCES topic
);
CREATE UNIQUE INDEX topic_voter_person ON topic_voter (community, number, person);

-- What was voted. Every vote writes all the rows of its topic anew, so that none of
-- them tells by when it was written.
CREATE TABLE topic_tally (
    community text    NOT NULL,
    number    bigint  NOT NULL,
    choice    text    NOT NULL,
    votes     integer NOT NULL DEFAULT 0 CHECK (votes >= 0),
    PRIMARY KEY (community, number, choice),
    FOREIGN KEY (community, number) REFERENCES topic
);

-- What a vote came to. It is written once.
CREATE TABLE topic_result (
    community text        NOT NULL,
    number    bigint      NOT NULL,
    yes       integer     NOT NULL CHECK (yes >= 0),
    no        integer     NOT NULL CHECK (no >= 0),
    abstain   integer     NOT NULL CHECK (abstain >= 0),
    quorum    integer     NOT NULL,
    outcome   text        NOT NULL,
    ticket    bigint      NOT NULL DEFAULT 0,       -- what came of it
    at        timestamptz NOT NULL,
    PRIMARY KEY (community, number),
    FOREIGN KEY (community, number) REFERENCES topic,
    CHECK (outcome = CASE WHEN yes + no + abstain < quorum THEN 'lapsed' WHEN yes > no THEN 'decided' ELSE 'declined' END)
);
CREATE INDEX topic_result_at ON topic_result (community, at);

-- +goose StatementBegin
CREATE FUNCTION topic_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a vote and its result stay as they are' USING ERRCODE = 'insufficient_privilege';
END $$;
-- +goose StatementEnd
CREATE TRIGGER topic_result_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON topic_result FOR EACH STATEMENT EXECUTE FUNCTION topic_stays();
CREATE TRIGGER topic_voter_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON topic_voter FOR EACH STATEMENT EXECUTE FUNCTION topic_stays();

-- Who is told: those of an estate who follow the account, in their order.
CREATE INDEX person_home ON person (community, (home->>'estate'), id) WHERE following;

-- +goose Down
DROP INDEX person_home;
DROP TABLE topic_result, topic_tally, topic_voter, topic;
DROP FUNCTION topic_stays;
