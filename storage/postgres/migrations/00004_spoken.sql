-- +goose Up
-- Recordings that came without words, which are to be made out.
ALTER TABLE media ADD COLUMN spoken boolean NOT NULL DEFAULT false;
DROP INDEX media_owed;
CREATE INDEX media_owed ON media (community, created_at, id) WHERE status IN ('owed', 'unheard');

-- +goose Down
DROP INDEX media_owed;
UPDATE media SET status = 'stored' WHERE status = 'unheard';
CREATE INDEX media_owed ON media (community, created_at, id) WHERE status = 'owed';
ALTER TABLE media DROP COLUMN spoken;
