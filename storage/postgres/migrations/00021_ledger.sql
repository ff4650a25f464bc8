-- +goose Up
-- Points that residents earn and spend, by double entries: a row takes from one
-- account what it gives another, so that the sum of all is zero whatever stands
-- here. Rows are only added; a cause is booked once.
CREATE TABLE ledger (
    community text        NOT NULL REFERENCES community,
    cause     text        NOT NULL,
    person    bigint      NOT NULL,
    why       text        NOT NULL,
    gives     text        NOT NULL CHECK (gives IN ('mint', 'purse', 'held', 'spent', 'lapsed')),
    takes     text        NOT NULL CHECK (takes IN ('mint', 'purse', 'held', 'spent', 'lapsed')),
    points    integer     NOT NULL CHECK (points > 0),
    number    bigint      NOT NULL DEFAULT 0,       -- the ticket or the order that it is about
    at        timestamptz NOT NULL,
    PRIMARY KEY (community, cause),
    CHECK (gives <> takes)
);
CREATE INDEX ledger_person ON ledger (community, person, at DESC);
CREATE INDEX ledger_earned ON ledger (community, at, person, points) WHERE gives = 'mint';

-- What somebody has: moved by the entries alone, and never below zero.
CREATE TABLE purse (
    community text     NOT NULL REFERENCES community,
    person    bigint   NOT NULL,
    points    integer  NOT NULL DEFAULT 0 CONSTRAINT purse_covers CHECK (points >= 0),
    held      integer  NOT NULL DEFAULT 0 CONSTRAINT purse_holds CHECK (held >= 0),
    ranked    boolean  NOT NULL DEFAULT false,      -- agreed to stand on the board
    warned    smallint NOT NULL DEFAULT 0,          -- the year of whose end they were told last
    ended     smallint NOT NULL DEFAULT 0,          -- the year whose end took what was left last
    PRIMARY KEY (community, person)
) WITH (fillfactor = 80);
CREATE INDEX purse_ranked ON purse (community, person) WHERE ranked;
CREATE INDEX purse_unwarned ON purse (community, warned, person) WHERE points > 0;
CREATE INDEX purse_unended ON purse (community, ended, person) WHERE points > 0;

-- +goose StatementBegin
CREATE FUNCTION ledger_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO purse (community, person) VALUES (NEW.community, NEW.person) ON CONFLICT DO NOTHING;
    UPDATE purse SET
        points = points + CASE 'purse' WHEN NEW.takes THEN NEW.points WHEN NEW.gives THEN -NEW.points ELSE 0 END,
        held = held + CASE 'held' WHEN NEW.takes THEN NEW.points WHEN NEW.gives THEN -NEW.points ELSE 0 END
    WHERE community = NEW.community AND person = NEW.person;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_moves AFTER INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION ledger_moves();

-- +goose StatementBegin
CREATE FUNCTION ledger_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows();

-- What points are spent on. The stock is what can still be ordered.
CREATE TABLE reward (
    community text        NOT NULL REFERENCES community,
    id        integer     NOT NULL,
    cause     text        NOT NULL,                 -- of the form that added it
    name      text        NOT NULL,
    price     integer     NOT NULL CHECK (price > 0),
    stock     integer     NOT NULL CONSTRAINT reward_stock CHECK (stock >= 0),
    ended_at  timestamptz,
    PRIMARY KEY (community, id),
    UNIQUE (community, cause)
);

-- Rewards that somebody ordered. The code is not kept, only its hash.
CREATE TABLE reward_order (
    community text        NOT NULL,
    id        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    cause     text        NOT NULL,
    person    bigint      NOT NULL,
    reward    integer     NOT NULL,
    points    integer     NOT NULL CHECK (points > 0),
    hash      bytea       NOT NULL,
    state     text        NOT NULL CHECK (state IN ('waits', 'handed', 'back')),
    made_at   timestamptz NOT NULL,
    until     timestamptz NOT NULL,
    ended_at  timestamptz,
    by        bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (community, id),
    FOREIGN KEY (community, reward) REFERENCES reward,
    UNIQUE (community, cause)
);
CREATE UNIQUE INDEX reward_order_code ON reward_order (community, hash) WHERE state = 'waits';
CREATE INDEX reward_order_until ON reward_order (community, until, id) WHERE state = 'waits';
CREATE INDEX reward_order_handed ON reward_order (community, ended_at) WHERE state = 'handed';
CREATE INDEX reward_order_person ON reward_order (community, person, id DESC);

-- The community's fund, line by line. A wrong line is struck out by another.
CREATE TABLE fund (
    community text        NOT NULL REFERENCES community,
    id        integer     NOT NULL,
    cause     text        NOT NULL,
    day       date        NOT NULL,
    item      text        NOT NULL,
    words     text        NOT NULL,
    fen       bigint      NOT NULL CHECK (fen <> 0),
    paper     text        NOT NULL,
    strikes   integer     NOT NULL DEFAULT 0,
    by        bigint      NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (community, id),
    UNIQUE (community, cause),
    CHECK (paper <> '' OR strikes > 0)
);
CREATE INDEX fund_day ON fund (community, day);
CREATE INDEX fund_at ON fund (community, at);
CREATE UNIQUE INDEX fund_struck ON fund (community, strikes) WHERE strikes > 0;
CREATE TRIGGER fund_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON fund
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows();

-- +goose Down
DROP TABLE fund, reward_order, reward, purse, ledger;
DROP FUNCTION ledger_moves, ledger_only_grows;
