-- A vector of an earlier text would find the memory by what it no longer says, and one of a secret would
-- tell of it. Not every server that writes knows of vectors: for a while there are two versions.

CREATE FUNCTION memory_forget_meaning() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
BEGIN
    DELETE FROM meanings g WHERE g.account_id = NEW.account_id AND g.no = NEW.no;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION memory_forget_meaning IS 'Takes away what a memory meant, under any model.';
REVOKE ALL ON FUNCTION memory_forget_meaning() FROM PUBLIC;

CREATE TRIGGER memories_forgotten AFTER UPDATE ON memories FOR EACH ROW
WHEN (OLD.content IS DISTINCT FROM NEW.content OR NEW.is_sensitive)
EXECUTE FUNCTION memory_forget_meaning();
