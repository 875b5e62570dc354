-- Recall. It runs as the owner, since a full-text match is not leakproof: under a policy it would
-- stay out of the index. So each statement here names the account, and takes it from the setting of
-- the transaction and from nowhere else.
--
-- The rarest words bring the candidates; of frequent ones only those memories are looked up that
-- also hold something rarer, since reading all entries of a frequent word costs more than all else.

CREATE FUNCTION memory_term(term text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN term LIKE '%*'
        THEN to_tsquery('simple', quote_literal(replace(rtrim(term, '*'), '\', ' ')) || ':*')
        ELSE phraseto_tsquery('english', term) END
$$;
COMMENT ON FUNCTION memory_term IS 'One term of a query: a word, words in a row, or a beginning*.';

CREATE FUNCTION memory_recall(terms text[], weights real[], wanted integer, in_category text,
                              in_scope text, in_project text, sort_by text)
RETURNS TABLE (uid uuid, rank real, matched text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    sampled CONSTANT integer := 200;    -- memories looked at to see which words are frequent
    budget CONSTANT integer := 2000;    -- candidates brought by words, and by pairs of words
    judged CONSTANT integer := 200;     -- candidates compared closely
    most_pairs CONSTANT integer := 8;
    account CONSTANT uuid := NULLIF(current_setting('app.account', true), '')::uuid;
    total double precision;
    last_no bigint;
    words text[];
    queries tsquery[];
    worth double precision[];
    shares double precision[];
    brings boolean[];
    pairs tsquery[];
    anchor tsquery;
BEGIN
    SELECT greatest(a.live, 1), a.next_no - 1 INTO total, last_no
    FROM accounts a WHERE a.id = account;

    -- How frequent is each word? Memories spread over the account's life tell.
    WITH asked AS (
        SELECT DISTINCT ON (q.query) q.query, t.term, t.weight
        FROM unnest(terms, weights) t(term, weight), memory_term(t.term) q(query)
        WHERE numnode(q.query) > 0 ORDER BY q.query, t.weight DESC
    ), sample AS MATERIALIZED (
        SELECT m.tsv
        FROM generate_series(1, last_no, greatest(1, last_no / sampled)) n(no)
        JOIN memories m ON m.account_id = account AND m.no = n.no
        WHERE m.deleted_at IS NULL
    ), counted AS (
        SELECT a.query, a.term, a.weight,
               (SELECT count(*) FROM sample s WHERE s.tsv @@ a.query) / greatest(1, (SELECT count(*) FROM sample))::double precision AS share
        FROM asked a
    ), summed AS (
        SELECT c.*, sum(greatest(c.share, 0.5 / sampled) * total)
                        OVER (ORDER BY c.share, c.weight DESC, c.term) AS reach
        FROM counted c
    )
    SELECT array_agg(s.query ORDER BY s.share, s.weight DESC, s.term),
           array_agg(s.term ORDER BY s.share, s.weight DESC, s.term),
           array_agg(s.weight ORDER BY s.share, s.weight DESC, s.term),
           array_agg(s.share ORDER BY s.share, s.weight DESC, s.term),
           array_agg(s.reach <= budget ORDER BY s.share, s.weight DESC, s.term)
    INTO queries, words, worth, shares, brings
    FROM summed s;
    IF queries IS NULL THEN
        RETURN;
    END IF;

    -- Two frequent words together may be rare; so may all that was asked.
    WITH term AS (
        SELECT t.* FROM unnest(queries, worth, shares, brings) WITH ORDINALITY
            t(query, weight, share, is_rare, place)
    ), pair AS (
        SELECT a.query && b.query AS query,
               sum(a.share * b.share * total) OVER (ORDER BY a.share * b.share, a.place, b.place) AS reach,
               row_number() OVER (ORDER BY a.share * b.share, a.place, b.place) AS place
        FROM term a JOIN term b ON a.place < b.place WHERE NOT a.is_rare AND NOT b.is_rare
    )
    SELECT array_agg(p.query) INTO pairs FROM pair p
    WHERE p.reach <= budget AND p.place <= most_pairs;

    SELECT string_agg('(' || q.query::text || ')', ' | ')::tsquery INTO anchor FROM (
        SELECT t.query FROM unnest(queries, brings) t(query, is_rare) WHERE t.is_rare
        UNION ALL SELECT p.query FROM unnest(pairs) p(query)) q;

    RETURN QUERY
    WITH term AS MATERIALIZED (
        SELECT t.query, t.word, t.weight, t.share, t.place, t.is_rare,
               CASE WHEN t.is_rare THEN t.query ELSE t.query && anchor END AS lookup
        FROM unnest(queries, words, worth, shares, brings) WITH ORDINALITY
            t(query, word, weight, share, is_rare, place)
    ), held AS MATERIALIZED (
        SELECT t.place, h.uid, h.fits
        FROM term t CROSS JOIN LATERAL (
            SELECT m.uid,
                   (in_category = '' OR m.category = in_category)
                   AND (m.expires_at IS NULL OR m.expires_at > now())
                   AND CASE in_scope WHEN 'all' THEN true
                                     WHEN 'global' THEN m.scope = 'global'
                                     WHEN 'project' THEN m.scope = 'project' AND m.project = in_project
                                     ELSE m.scope = 'global' OR m.project = in_project END AS fits
            FROM memories m
            WHERE m.account_id = account AND m.deleted_at IS NULL AND m.tsv @@ t.lookup) h
    ), gain AS MATERIALIZED (
        SELECT t.*, t.weight * ln((total + 101) / (0.5 + CASE WHEN t.is_rare
            THEN (SELECT count(*) FROM held h WHERE h.place = t.place)
            ELSE t.share * total END)) AS gain
        FROM term t
    ), best AS (
        SELECT h.uid, sum(g.gain) AS mass, array_agg(h.place) AS places
        FROM held h JOIN gain g USING (place) WHERE h.fits
        GROUP BY h.uid ORDER BY mass DESC LIMIT judged
    ), scored AS (
        SELECT m.uid, m.importance, m.created_at, s.value
                 * (1 + 0.06 * m.importance + 0.03 * m.no / last_no) AS value, s.matched
        FROM best b JOIN memories m ON m.account_id = account AND m.uid = b.uid,
        LATERAL (
            SELECT sum(g.gain * ts_rank('{0.1,0.5,0.8,1.0}', m.tsv, g.query, 1)) * 6 AS value,
                   array_agg(g.word ORDER BY g.gain DESC) AS matched
            FROM gain g WHERE g.place = ANY (b.places)) s
        WHERE NOT EXISTS (
            SELECT FROM memories n
            WHERE n.account_id = account AND n.supersedes = b.uid AND n.deleted_at IS NULL)
    )
    SELECT s.uid, s.value::real, s.matched FROM scored s
    ORDER BY CASE sort_by WHEN 'importance' THEN s.importance END DESC NULLS LAST,
             CASE sort_by WHEN 'recency' THEN s.created_at END DESC NULLS LAST,
             s.value DESC, s.created_at DESC, s.uid DESC
    LIMIT wanted;
END
$$;
COMMENT ON FUNCTION memory_recall IS
    'The memories of this account that fit best. weights: 1 for words of the context, less for others.';
