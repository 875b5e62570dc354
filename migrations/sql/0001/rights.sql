-- What acts as the owner is for the application's role alone; the rest is for the owner.

DO $do$
DECLARE
    one regprocedure;
    acts_as_owner boolean;
BEGIN
    FOR one, acts_as_owner IN SELECT p.oid, p.prosecdef FROM pg_proc p
               WHERE p.pronamespace = current_schema()::regnamespace
                 AND p.proname LIKE 'memory\_%' LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one);
        IF acts_as_owner THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO memory_app', one);
        END IF;
    END LOOP;
END
$do$;
