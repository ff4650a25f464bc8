-- +goose Up
-- The checklist of an inspection by the property company, and finding inspections and
-- thanks by time.
ALTER TABLE round ADD COLUMN checks jsonb NOT NULL DEFAULT '[]';
CREATE INDEX round_inspected ON round (community, at) WHERE kind = 'inspection';
CREATE INDEX event_thanked ON event (community, at, number) WHERE type = 'thanked';

-- The property company's months as they were closed, for ever.
CREATE TABLE appraisal (
    community text        NOT NULL REFERENCES community,
    month     text        NOT NULL,                 -- 2026-11
    body      jsonb       NOT NULL,
    closed_at timestamptz NOT NULL,
    PRIMARY KEY (community, month)
);
CREATE INDEX appraisal_closed ON appraisal (community, closed_at);

-- What the company says against a line of a month, and what the committee says to it:
-- one each.
CREATE TABLE objection (
    community text        NOT NULL REFERENCES community,
    month     text        NOT NULL,
    line      text        NOT NULL,                 -- its key
    person    bigint      NOT NULL,
    words     text        NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (community, month, line)
);
CREATE INDEX objection_at ON objection (community, at);
CREATE TABLE objection_outcome (
    community text        NOT NULL,
    month     text        NOT NULL,
    line      text        NOT NULL,
    upheld    boolean     NOT NULL,
    person    bigint      NOT NULL,
    words     text        NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (community, month, line),
    FOREIGN KEY (community, month, line) REFERENCES objection
);

-- +goose StatementBegin
CREATE FUNCTION appraisal_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a closed month stays as it is' USING ERRCODE = 'insufficient_privilege';
END $$;
-- +goose StatementEnd
CREATE TRIGGER appraisal_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON appraisal
    FOR EACH STATEMENT EXECUTE FUNCTION appraisal_only_grows();
CREATE TRIGGER objection_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON objection
    FOR EACH STATEMENT EXECUTE FUNCTION appraisal_only_grows();
CREATE TRIGGER objection_outcome_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON objection_outcome
    FOR EACH STATEMENT EXECUTE FUNCTION appraisal_only_grows();

-- +goose Down
DROP TABLE objection_outcome, objection, appraisal;
DROP FUNCTION appraisal_only_grows;
DROP INDEX event_thanked, round_inspected;
ALTER TABLE round DROP COLUMN checks;
