-- +goose Up
-- A code that was used stays good for the WeChat that used it, so that the
-- same message may be handled again after a failure.
ALTER TABLE bind_code ADD COLUMN openid text, ADD COLUMN former bigint NOT NULL DEFAULT 0;

-- What WeChat reports of a subscription notice names only whom it went to.
CREATE INDEX push_subscribe ON push (community, person, sent_at) WHERE channel = 'subscribe' AND sent_at IS NOT NULL;
CREATE INDEX push_owed_person ON push (community, person) WHERE status IN ('owed', 'sending');

-- +goose Down
DROP INDEX push_owed_person;
DROP INDEX push_subscribe;
ALTER TABLE bind_code DROP COLUMN former, DROP COLUMN openid;
