-- +goose Up
-- What came of what the audit log says. A deed is written before it is done
-- (outcome begun); what came of it is a line of its own that names the first one.
-- So the log still only grows, and nothing is done or shown without a line.
ALTER TABLE audit
    ADD COLUMN of      bigint NOT NULL DEFAULT 0,   -- the line whose outcome this is, 0 for a line of its own
    ADD COLUMN outcome text   NOT NULL DEFAULT '',  -- begun, done, tried, refused; '' where it says it all
    ADD COLUMN reason  text   NOT NULL DEFAULT '';  -- refused: the code
CREATE UNIQUE INDEX audit_of ON audit (community, of) WHERE of <> 0;

-- +goose Down
DROP INDEX audit_of;
ALTER TABLE audit DROP COLUMN of, DROP COLUMN outcome, DROP COLUMN reason;
