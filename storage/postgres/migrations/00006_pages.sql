-- +goose Up
-- Who is logged in to the pages. Only hashes of what browsers hold are kept.
CREATE TABLE session (
    community  text        NOT NULL REFERENCES community,
    hash       bytea       NOT NULL,                -- SHA-256 of the cookie
    person     bigint      NOT NULL,
    how        text        NOT NULL,                -- wechat, link, scan
    agent      text        NOT NULL DEFAULT '',     -- the browser, in words
    created_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (community, hash)
);
CREATE INDEX session_person ON session (community, person);
CREATE INDEX session_expires ON session (community, expires_at);

-- Logins on their way: a link sent in the chat, or a code shown on a desk that
-- waits for a telephone.
CREATE TABLE login (
    community   text        NOT NULL REFERENCES community,
    hash        bytea       NOT NULL,               -- SHA-256 of the link's or the code's token
    kind        text        NOT NULL,               -- link, scan
    person      bigint      NOT NULL DEFAULT 0,     -- 0 while nobody has agreed to a scan
    secret      bytea       NOT NULL DEFAULT '',    -- scan: SHA-256 of what the waiting browser holds
    agent       text        NOT NULL DEFAULT '',
    next        text        NOT NULL DEFAULT '',    -- where to go then
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,
    PRIMARY KEY (community, hash)
);
CREATE INDEX login_expires ON login (community, expires_at);

-- What was looked at and changed on the pages, by whom. It only grows.
CREATE TABLE audit (
    community text        NOT NULL,
    id        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    at        timestamptz NOT NULL,
    person    bigint      NOT NULL,                 -- 0: nobody was logged in
    action    text        NOT NULL,                 -- of console's table
    number    bigint      NOT NULL DEFAULT 0,       -- the ticket, 0 for none
    object    text        NOT NULL DEFAULT '',      -- what else it was about
    PRIMARY KEY (community, id)
);
CREATE INDEX audit_person ON audit (community, person, id DESC);
CREATE INDEX audit_number ON audit (community, number, id DESC) WHERE number <> 0;

-- +goose StatementBegin
CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'insufficient_privilege';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();

-- +goose Down
DROP TABLE audit, login, session;
DROP FUNCTION audit_only_grows;
