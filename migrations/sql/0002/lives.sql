-- A database that was promoted or restored begins a new life. Every write sees that under the lock of
-- its account, and every pull of the feed before it reads.

CREATE OR REPLACE FUNCTION memory_life() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
DECLARE
    cluster CONSTANT text := (SELECT s.system_identifier::text FROM pg_control_system() s);
BEGIN
    IF NOT pg_is_in_recovery() THEN
        BEGIN -- the timeline in the control file is that of the last checkpoint: minutes too late
            RETURN cluster || ':' || ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int;
        EXCEPTION WHEN OTHERS THEN NULL; -- a service that does not let anybody look at its log
        END;
    END IF;
    RETURN cluster || ':' || (SELECT c.timeline_id FROM pg_control_checkpoint() c);
END
$$;

CREATE FUNCTION memory_in_known_life() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
    SELECT coalesce((SELECT s.v = convert_to(memory_life(), 'UTF8')
                     FROM keeper_state s WHERE s.k = 'life'), true)
$$;
COMMENT ON FUNCTION memory_in_known_life IS
    'Whether the database still lives the life for which its present epoch was begun.';

-- A function, so that what comes after the lock sees what was committed while it was waited for.
CREATE FUNCTION memory_lock(account uuid)
RETURNS TABLE (version bigint, next_no bigint, live bigint, digest bigint, at timestamptz,
               epoch uuid, is_known_life boolean)
LANGUAGE plpgsql
AS $$
DECLARE
    before timestamptz;
BEGIN
    SELECT a.version, a.next_no, a.live, a.digest, a.changed_at
    INTO version, next_no, live, digest, before
    FROM accounts a WHERE a.id = account FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    at := greatest(clock_timestamp(), before + interval '1 microsecond');
    SELECT e.epoch INTO epoch FROM epochs e ORDER BY e.ordinal DESC LIMIT 1;
    is_known_life := memory_in_known_life();
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION memory_lock IS
    'Locks the row of an account, first of all locks, and then reads its counters and the epoch.';

REVOKE ALL ON FUNCTION memory_in_known_life() FROM PUBLIC;
REVOKE ALL ON FUNCTION memory_lock(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION memory_in_known_life() TO memory_app;
GRANT EXECUTE ON FUNCTION memory_lock(uuid) TO memory_app;
