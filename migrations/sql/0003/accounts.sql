-- As before, but an account that is made while an epoch begins waits for it: else it would be known to
-- the epoch before alone, and what its clients have could not be told from what a restore had lost.

CREATE OR REPLACE FUNCTION memory_account_for(account_name text, new_id uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
DECLARE
    found_id uuid;
BEGIN
    SELECT a.id INTO found_id FROM accounts a WHERE a.name = account_name;
    IF found_id IS NULL THEN
        LOCK TABLE epochs IN ROW EXCLUSIVE MODE; -- several may, but not beside memory_rotate_epoch
        INSERT INTO accounts (id, name) VALUES (new_id, account_name)
        ON CONFLICT (name) DO NOTHING RETURNING id INTO found_id;
        IF found_id IS NULL THEN -- another transaction was quicker, and has committed by now
            SELECT a.id INTO found_id FROM accounts a WHERE a.name = account_name;
        ELSE
            INSERT INTO account_epochs (account_id, ordinal, base_version)
            SELECT found_id, max(e.ordinal), 0 FROM epochs e;
        END IF;
    END IF;
    RETURN found_id;
END
$$;
