-- +goose Up
-- While replicas are upgraded one after the other, those of the release before go
-- on writing tickets, and know nothing of pressing: what they enter would be last in
-- every list, what they change would stay where it was. pressing_of is the version
-- that pressing belongs to; where a writer did not say so, the server works it out,
-- as workflow.Ticket.Pressing does.
ALTER TABLE ticket ADD COLUMN pressing_of bigint NOT NULL DEFAULT 0;

-- +goose StatementBegin
CREATE FUNCTION ticket_pressing(late_since timestamptz, body jsonb) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(late_since, CASE WHEN body->'question'->>'pauses' IS DISTINCT FROM 'true' THEN least(
        (body->'due'->>'response')::timestamptz, (body->'due'->>'feedback')::timestamptz, (body->'due'->>'resolve')::timestamptz,
        (body->'due'->>'unclaimed')::timestamptz, (body->'due'->>'tray')::timestamptz, (body->'due'->>'visit')::timestamptz) END)
$$;
-- +goose StatementEnd

-- What was resolved is no longer late; 8 had it late, and 14 pressing, all the same.
UPDATE ticket SET late_since = NULL WHERE state = 'resolved' AND late_since IS NOT NULL;
-- What was written so since 14.
UPDATE ticket SET pressing = ticket_pressing(late_since, body)
    WHERE ended_at IS NULL AND pressing IS DISTINCT FROM ticket_pressing(late_since, body);
UPDATE ticket SET pressing = NULL WHERE ended_at IS NOT NULL AND pressing IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION ticket_presses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.pressing := CASE WHEN NEW.ended_at IS NULL THEN ticket_pressing(NEW.late_since, NEW.body) END;
    NEW.pressing_of := NEW.version;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER ticket_presses BEFORE INSERT OR UPDATE ON ticket
    FOR EACH ROW WHEN (NEW.pressing_of <> NEW.version) EXECUTE FUNCTION ticket_presses();

-- +goose Down
DROP TRIGGER ticket_presses ON ticket;
DROP FUNCTION ticket_presses, ticket_pressing;
ALTER TABLE ticket DROP COLUMN pressing_of;
