-- Functions of the owner are for the application's role alone.

DO $do$
DECLARE
    one regprocedure;
BEGIN
    FOR one IN SELECT p.oid FROM pg_proc p
               WHERE p.pronamespace = current_schema()::regnamespace AND p.prosecdef
                 AND p.proname LIKE 'memory\_%' LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO memory_app', one);
    END LOOP;
END
$do$;
