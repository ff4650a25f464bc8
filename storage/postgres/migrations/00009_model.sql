-- +goose Up
-- Models that were trained from a community's corrections. A model is never
-- changed: another is another version. At most one of a community is in use.
CREATE TABLE model (
    community text        NOT NULL REFERENCES community,
    version   bigint      NOT NULL,
    body      bytea       NOT NULL,                -- as ngram.Save writes it, about 6 MB
    scores    jsonb       NOT NULL,                -- learn.Scores
    samples   integer     NOT NULL,                -- corrections that it learnt
    author    text        NOT NULL,
    made_at   timestamptz NOT NULL,
    used_from timestamptz,                         -- put in use the last time
    ended_at  timestamptz,                         -- and taken out of use again
    PRIMARY KEY (community, version)
);
CREATE UNIQUE INDEX model_in_use ON model (community) WHERE used_from IS NOT NULL AND ended_at IS NULL;
ALTER TABLE model ALTER COLUMN body SET STORAGE EXTERNAL; -- it does not get smaller

-- +goose StatementBegin
CREATE FUNCTION model_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a model is never changed' USING ERRCODE = 'insufficient_privilege';
END $$;
-- +goose StatementEnd
CREATE TRIGGER model_stays BEFORE UPDATE OF community, version, body, scores, samples, author, made_at ON model
    FOR EACH STATEMENT EXECUTE FUNCTION model_stays();

-- What workers corrected, newest first, and counted.
CREATE INDEX sample_at ON sample (community, at DESC, number DESC);
CREATE INDEX sample_what ON sample (community, kind, category, guess);

-- +goose Down
DROP INDEX sample_at, sample_what;
DROP TABLE model;
DROP FUNCTION model_stays;
