-- +goose Up
-- Keys of other software (Open311, the JSON API). A key that has ended stays, so
-- that what it filed can be told.
CREATE TABLE api_key (
    community text        NOT NULL REFERENCES community,
    id        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    name      text        NOT NULL,
    hash      bytea       NOT NULL,                -- SHA-256 of the key
    scopes    text[]      NOT NULL,                -- read, file, personal
    made_at   timestamptz NOT NULL,
    used_at   timestamptz,                         -- noted once a day
    ended_at  timestamptz,
    PRIMARY KEY (community, id)
);
CREATE UNIQUE INDEX api_key_hash ON api_key (community, hash);

-- +goose Down
DROP TABLE api_key;
