-- +goose Up
-- Whoever took a matter back gave it to a neighbour by an event that was made for
-- one human with another ID ("adopted"), so that it still says what they wrote. The
-- running processes have these left as matters are since there is an event for it
-- ("left"), and take each from here; a new version of the shape has them look.
CREATE TABLE unleft (
    community text   NOT NULL,
    number    bigint NOT NULL,
    PRIMARY KEY (community, number)
);
INSERT INTO unleft
    SELECT DISTINCT a.community, a.number FROM event a
    WHERE a.type = 'adopted' AND EXISTS (
        SELECT FROM event w WHERE w.community = a.community AND w.number = a.number AND w.seq < a.seq AND (
            w.type = 'absorbed' AND w.body->'follow' @> (a.body->'reporter')
            OR w.type = 'supported' AND w.body->'by' = a.body->'reporter'));
UPDATE community SET shape = shape + 1 WHERE code IN (SELECT community FROM unleft);

-- +goose Down
DROP TABLE unleft;
