-- +goose Up
-- Short lessons of the party class.
CREATE TABLE lesson (
    community text        NOT NULL REFERENCES community,
    id        bigint      NOT NULL,
    branch    text        NOT NULL,                 -- whose it is; '' = the committee's, for all branches
    body      jsonb       NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (community, id)
);
CREATE INDEX lesson_branch ON lesson (community, branch, at DESC, id DESC);

-- Which branch learns what on which day: each lesson once.
CREATE TABLE lesson_plan (
    community text   NOT NULL REFERENCES community,
    branch    text   NOT NULL,
    lesson    bigint NOT NULL,
    day       date   NOT NULL,
    by        bigint NOT NULL,
    PRIMARY KEY (community, branch, lesson)
);
CREATE INDEX lesson_plan_day ON lesson_plan (community, day, branch, lesson);

-- What somebody did with a lesson, or was done for them: each once.
CREATE TABLE lesson_done (
    community text        NOT NULL REFERENCES community,
    lesson    bigint      NOT NULL,
    person    bigint      NOT NULL,
    deed      text        NOT NULL,                 -- given, read, heard, asked, signed
    at        timestamptz NOT NULL,
    PRIMARY KEY (community, lesson, person, deed)
);
CREATE INDEX lesson_done_person ON lesson_done (community, person, at DESC);
CREATE INDEX lesson_done_at ON lesson_done (community, at);

-- The hour at which somebody wants their lessons.
CREATE TABLE study_hour (
    community text     NOT NULL REFERENCES community,
    person    bigint   NOT NULL,
    hour      smallint NOT NULL CHECK (hour BETWEEN 0 AND 23),
    PRIMARY KEY (community, person)
);

-- What was asked about a lesson; answered once.
CREATE TABLE lesson_question (
    community   text        NOT NULL REFERENCES community,
    id          bigint      NOT NULL,
    lesson      bigint      NOT NULL,
    person      bigint      NOT NULL,               -- who asked
    teacher     bigint      NOT NULL,               -- who should answer
    body        text        NOT NULL,
    at          timestamptz NOT NULL,
    answer      text        NOT NULL DEFAULT '',
    answered_by bigint      NOT NULL DEFAULT 0,
    answered_at timestamptz,
    PRIMARY KEY (community, id)
);
CREATE INDEX lesson_question_open ON lesson_question (community, at, id) WHERE answered_at IS NULL;
CREATE INDEX lesson_question_at ON lesson_question (community, at);
CREATE INDEX lesson_question_person ON lesson_question (community, person, at DESC);

-- +goose Down
DROP TABLE lesson_question, study_hour, lesson_done, lesson_plan, lesson;
