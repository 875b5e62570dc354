-- What the application's role may not do by itself, each as a function of the owner.

CREATE FUNCTION memory_key(key_id text)
RETURNS TABLE (account_id uuid, id text, name text, hash bytea, scopes jsonb,
               expires_at timestamptz, last_used_at timestamptz, revoked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
    SELECT k.account_id, k.id, k.name, k.hash, k.scopes, k.expires_at, k.last_used_at, k.revoked_at
    FROM api_keys k WHERE k.id = key_id
$$;
COMMENT ON FUNCTION memory_key IS 'A key by its id, before anybody knows the account.';

CREATE FUNCTION memory_account_for(account_name text, new_id uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
DECLARE
    found_id uuid;
BEGIN
    SELECT a.id INTO found_id FROM accounts a WHERE a.name = account_name;
    IF found_id IS NULL THEN
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
COMMENT ON FUNCTION memory_account_for IS 'The account of that name, made with that id if need be.';

CREATE FUNCTION memory_erase() RETURNS TABLE (table_name text, removed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := NULLIF(current_setting('app.account', true), '')::uuid;
BEGIN
    PERFORM FROM accounts a WHERE a.id = account FOR UPDATE;
    FOREACH table_name IN ARRAY ARRAY['memories', 'history', 'ops', 'account_epochs', 'api_keys',
                                      'rate_limits'] LOOP
        EXECUTE format('DELETE FROM %I WHERE account_id = $1', table_name) USING account;
        GET DIAGNOSTICS removed = ROW_COUNT;
        RETURN NEXT;
    END LOOP;
    table_name := 'accounts';
    DELETE FROM accounts a WHERE a.id = account;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION memory_erase IS 'Removes the account of this transaction and all that it has.';

CREATE FUNCTION memory_purge(before_tombstones timestamptz, before_history timestamptz,
                             after_account uuid DEFAULT NULL, most_accounts integer DEFAULT 100)
RETURNS TABLE (accounts bigint, tombstones bigint, histories bigint, operations bigint,
               last_account uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
DECLARE
    account uuid;
    highest bigint;
    touched bigint;
BEGIN
    accounts := 0; tombstones := 0; histories := 0; operations := 0;
    FOR account IN
        SELECT a.id FROM accounts a
        WHERE after_account IS NULL OR a.id > after_account
        ORDER BY a.id LIMIT most_accounts FOR UPDATE
    LOOP
        accounts := accounts + 1;
        last_account := account;
        WITH gone AS (
            DELETE FROM memories m WHERE m.account_id = account AND m.deleted_at < before_tombstones
            RETURNING m.version)
        SELECT max(g.version), count(*) INTO highest, touched FROM gone g;
        tombstones := tombstones + touched;
        IF touched > 0 THEN
            UPDATE accounts a SET horizon = greatest(a.horizon, highest)
            WHERE a.id = account;
        END IF;
        DELETE FROM ops o WHERE o.account_id = account AND o.at < before_tombstones;
        GET DIAGNOSTICS touched = ROW_COUNT;
        operations := operations + touched;
        DELETE FROM history h WHERE h.account_id = account AND h.at < before_history;
        GET DIAGNOSTICS touched = ROW_COUNT;
        histories := histories + touched;
    END LOOP;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION memory_purge IS
    'Purges the next accounts in id order; call again after last_account until accounts is 0.';

CREATE FUNCTION memory_life() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
    SELECT s.system_identifier || ':' || c.timeline_id
    FROM pg_control_system() s, pg_control_checkpoint() c
$$;
COMMENT ON FUNCTION memory_life IS
    'What changes when the database is restored or a replica is promoted.';

CREATE FUNCTION memory_rotate_epoch(new_epoch uuid, only_in_a_new_life boolean DEFAULT false)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
DECLARE
    life CONSTANT bytea := convert_to(memory_life(), 'UTF8');
    known bytea;
    ordinal_now bigint;
BEGIN
    LOCK TABLE epochs IN SHARE ROW EXCLUSIVE MODE; -- one rotation at a time
    SELECT s.v INTO known FROM keeper_state s WHERE s.k = 'life';
    INSERT INTO keeper_state (k, v) VALUES ('life', life)
    ON CONFLICT (k) DO UPDATE SET v = EXCLUDED.v;
    IF only_in_a_new_life AND (known IS NULL OR known = life) THEN
        RETURN NULL;
    END IF;
    PERFORM FROM accounts a ORDER BY a.id FOR UPDATE;
    INSERT INTO epochs (epoch) VALUES (new_epoch) RETURNING ordinal INTO ordinal_now;
    INSERT INTO account_epochs (account_id, ordinal, base_version)
    SELECT a.id, ordinal_now, a.version FROM accounts a;
    -- Higher than anything that an earlier life can have given out.
    UPDATE accounts a SET
        version = greatest(a.version, floor(extract(epoch FROM clock_timestamp()))::bigint << 20),
        changed_at = greatest(clock_timestamp(), a.changed_at + interval '1 microsecond');
    RETURN ordinal_now;
END
$$;
COMMENT ON FUNCTION memory_rotate_epoch IS
    'Begins a new epoch; with the flag only where the database began a new life by itself.';
