-- As before, with old failures; and an account that somebody works on is passed over and counted, where
-- waiting for it would have stopped the purge of all others.

DROP FUNCTION memory_purge(timestamptz, timestamptz, uuid, integer);
CREATE FUNCTION memory_purge(before_tombstones timestamptz, before_history timestamptz,
                             after_account uuid DEFAULT NULL, most_accounts integer DEFAULT 100)
RETURNS TABLE (accounts bigint, tombstones bigint, histories bigint, operations bigint,
               last_account uuid, rates bigint, skipped bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
DECLARE
    account uuid;
    highest bigint;
    touched bigint;
BEGIN
    accounts := 0; tombstones := 0; histories := 0; operations := 0; rates := 0; skipped := 0;
    FOR account IN
        SELECT a.id FROM accounts a
        WHERE after_account IS NULL OR a.id > after_account
        ORDER BY a.id LIMIT most_accounts
    LOOP
        accounts := accounts + 1;
        last_account := account;
        PERFORM FROM accounts a WHERE a.id = account FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            skipped := skipped + 1;
            CONTINUE;
        END IF;
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
        DELETE FROM failures f WHERE f.account_id = account AND f.at < before_history;
        DELETE FROM rate_limits r
        WHERE r.account_id = account AND r.at < clock_timestamp() - interval '2 days';
        GET DIAGNOSTICS touched = ROW_COUNT;
        rates := rates + touched;
    END LOOP;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION memory_purge IS
    'Purges the next accounts in id order; call again after last_account until accounts is 0.';

REVOKE ALL ON FUNCTION memory_purge(timestamptz, timestamptz, uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION memory_purge(timestamptz, timestamptz, uuid, integer) TO memory_app;
