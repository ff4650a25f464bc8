-- +goose Up
-- The record. The community is the first column of every key and index, so
-- that rows can be spread over several servers by community.

CREATE TABLE community (
    code        text        PRIMARY KEY,
    version     bigint      NOT NULL,               -- of the document
    shape       bigint      NOT NULL,               -- rises with every change of document or staff
    doc         text        NOT NULL,               -- YAML, as it was applied
    next_number bigint      NOT NULL DEFAULT 1001,  -- the first ticket number not handed out
    updated_at  timestamptz NOT NULL
);

CREATE TABLE community_version (
    community  text        NOT NULL REFERENCES community,
    version    bigint      NOT NULL,
    doc        text        NOT NULL,
    author     text        NOT NULL,
    applied_at timestamptz NOT NULL,
    PRIMARY KEY (community, version)
);

-- Person IDs are unique in the deployment; a process takes 100 at a time.
CREATE SEQUENCE person_id INCREMENT BY 100;

CREATE TABLE person (
    community text    NOT NULL REFERENCES community,
    id        bigint  NOT NULL,
    key       text,                                 -- stable name given by an import
    name      text    NOT NULL DEFAULT '',
    phone     text    NOT NULL DEFAULT '',
    openid    text,                                 -- NULL while not bound to a WeChat
    roles     jsonb   NOT NULL DEFAULT '[]',
    home      jsonb   NOT NULL DEFAULT '{}',
    following boolean NOT NULL DEFAULT false,
    staff     boolean NOT NULL GENERATED ALWAYS AS (roles <> '[]'::jsonb) STORED,
    PRIMARY KEY (community, id)
);
CREATE UNIQUE INDEX person_openid ON person (community, openid) WHERE openid IS NOT NULL;
CREATE UNIQUE INDEX person_key ON person (community, key) WHERE key IS NOT NULL;
CREATE INDEX person_name ON person (community, name) WHERE name <> '';
CREATE INDEX person_staff ON person (community, id) WHERE staff;

CREATE TABLE bind_code (
    community  text        NOT NULL,
    hash       bytea       NOT NULL,                -- SHA-256; the code itself is not kept
    person     bigint      NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (community, hash)
);
CREATE INDEX bind_code_person ON bind_code (community, person);

CREATE TABLE message (
    community text        NOT NULL,
    delivery  text        NOT NULL,
    person    bigint      NOT NULL,
    type      text        NOT NULL,
    body      text        NOT NULL,
    reply     text        NOT NULL,
    deferred  boolean     NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (community, delivery)
);

CREATE TABLE talk (
    community       text   NOT NULL,
    person          bigint NOT NULL,
    version         bigint NOT NULL,
    state           json,                           -- the bot's own, kept byte for byte
    last_message_at timestamptz,
    last_click_at   timestamptz,
    PRIMARY KEY (community, person)
) WITH (fillfactor = 80);

-- body is the whole ticket; the other columns are copies for finding it. A
-- ticket is open while ended_at is NULL.
CREATE TABLE ticket (
    community text        NOT NULL REFERENCES community,
    number    bigint      NOT NULL,
    version   bigint      NOT NULL,
    state     text        NOT NULL,
    stand     text        NOT NULL,
    kind      text        NOT NULL,
    category  text        NOT NULL,
    severity  text        NOT NULL,
    grid      text        NOT NULL,                 -- '' while unknown
    level     smallint    NOT NULL,
    owner     bigint      NOT NULL,                 -- 0 while nobody has it
    reporter  bigint      NOT NULL,
    next_due  timestamptz,
    filed_at  timestamptz NOT NULL,
    ended_at  timestamptz,
    body      jsonb       NOT NULL,
    PRIMARY KEY (community, number)
) WITH (fillfactor = 85);
CREATE INDEX ticket_open ON ticket (community, number) WHERE ended_at IS NULL;
CREATE INDEX ticket_owned ON ticket (community, owner, next_due, number) WHERE ended_at IS NULL;
CREATE INDEX ticket_due ON ticket (community, next_due, number) WHERE ended_at IS NULL;
CREATE INDEX ticket_wall ON ticket (community, number) WHERE ended_at IS NULL AND stand = 'wall';
CREATE INDEX ticket_tray ON ticket (community, grid, next_due, number) WHERE ended_at IS NULL AND stand = 'tray';
CREATE INDEX ticket_risen ON ticket (community, next_due, number) WHERE ended_at IS NULL AND level >= 2;
CREATE INDEX ticket_reported ON ticket (community, reporter, number DESC);

CREATE TABLE event (
    community text        NOT NULL,
    number    bigint      NOT NULL,
    seq       bigint      NOT NULL,
    type      text        NOT NULL,
    at        timestamptz NOT NULL,
    body      jsonb       NOT NULL,
    PRIMARY KEY (community, number, seq)
);

-- The outbox. While a sender has a push, next_try is the end of its lease.
CREATE TABLE push (
    community  text        NOT NULL,
    key        text        NOT NULL,
    person     bigint      NOT NULL,
    number     bigint      NOT NULL,
    purpose    text        NOT NULL,
    facts      jsonb       NOT NULL,
    status     text        NOT NULL,
    channel    text        NOT NULL DEFAULT '',
    attempts   integer     NOT NULL DEFAULT 0,
    next_try   timestamptz NOT NULL,
    errcode    bigint      NOT NULL DEFAULT 0,
    error      text        NOT NULL DEFAULT '',
    msg_id     bigint,
    created_at timestamptz NOT NULL,
    sent_at    timestamptz,
    PRIMARY KEY (community, key)
) WITH (fillfactor = 85);
CREATE INDEX push_owed ON push (community, next_try, key) WHERE status IN ('owed', 'sending');
CREATE INDEX push_custom ON push (community, person, sent_at) WHERE channel = 'custom' AND sent_at IS NOT NULL;
CREATE INDEX push_manual ON push (community, created_at, key) WHERE status = 'manual';
CREATE INDEX push_failed ON push (community, created_at DESC) WHERE status IN ('manual', 'dropped', 'unknown');
CREATE INDEX push_ticket ON push (community, number, created_at);
CREATE INDEX push_msg_id ON push (community, msg_id) WHERE msg_id IS NOT NULL;

CREATE TABLE consent (
    community text    NOT NULL,
    person    bigint  NOT NULL,
    template  text    NOT NULL,
    remaining integer NOT NULL CHECK (remaining >= 0),
    PRIMARY KEY (community, person, template)
);

CREATE TABLE media (
    community  text        NOT NULL,
    id         text        NOT NULL,
    person     bigint      NOT NULL,
    wechat_id  text        NOT NULL,
    type       text        NOT NULL,
    status     text        NOT NULL,
    mime       text        NOT NULL DEFAULT '',
    size       bigint      NOT NULL DEFAULT 0,
    number     bigint      NOT NULL DEFAULT 0,      -- 0 while it belongs to no ticket
    created_at timestamptz NOT NULL,
    PRIMARY KEY (community, id)
);
CREATE INDEX media_owed ON media (community, created_at, id) WHERE status = 'owed';

CREATE TABLE dead_letter (
    community text        NOT NULL,
    id        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    queue     text        NOT NULL,
    body      bytea       NOT NULL,
    reason    text        NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (community, id)
);

-- +goose Down
DROP TABLE dead_letter, media, consent, push, event, ticket, talk, message, bind_code, person, community_version, community;
DROP SEQUENCE person_id;
