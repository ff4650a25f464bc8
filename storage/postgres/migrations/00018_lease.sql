-- +goose Up
-- Who has a push, so that a lease whose answer was lost is known by who asked for it:
-- the number of the asking, negative where an earlier lease had run out; NULL where
-- nobody has it.
ALTER TABLE push ADD COLUMN lease bigint;

-- +goose Down
ALTER TABLE push DROP COLUMN lease;
