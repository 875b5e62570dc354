-- What backend/models.py says. The application's role owns none of it.

CREATE TABLE account_epochs (
    account_id UUID NOT NULL,
    ordinal BIGINT NOT NULL,
    base_version BIGINT NOT NULL,
    PRIMARY KEY (account_id, ordinal)
);

CREATE TABLE accounts (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    version BIGINT DEFAULT 0 NOT NULL,
    next_no BIGINT DEFAULT 1 NOT NULL,
    horizon BIGINT DEFAULT 0 NOT NULL,
    live BIGINT DEFAULT 0 NOT NULL,
    digest BIGINT DEFAULT 0 NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name)
);

CREATE TABLE api_keys (
    account_id UUID NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    hash BYTEA NOT NULL,
    scopes JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (account_id, id),
    UNIQUE (id)
);

CREATE TABLE audit (
    account_id UUID NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    action TEXT NOT NULL,
    subject TEXT DEFAULT '' NOT NULL,
    key_id TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (account_id, id)
);

CREATE TABLE epochs (
    ordinal BIGINT GENERATED ALWAYS AS IDENTITY,
    epoch UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (ordinal),
    UNIQUE (epoch)
);

CREATE TABLE history (
    account_id UUID NOT NULL,
    uid UUID NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    op_id UUID,
    kind TEXT NOT NULL,
    payload JSONB NOT NULL,
    secret BYTEA,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (account_id, uid, id)
);
CREATE INDEX history_age ON history (account_id, at);

CREATE TABLE keeper_state (
    k TEXT NOT NULL,
    v BYTEA NOT NULL,
    PRIMARY KEY (k)
);

CREATE TABLE memories (
    account_id UUID NOT NULL,
    uid UUID NOT NULL,
    no BIGINT NOT NULL,
    version BIGINT NOT NULL,
    field_versions JSONB DEFAULT '{}' NOT NULL,
    content TEXT,
    secret BYTEA,
    bound UUID,
    is_sensitive BOOLEAN DEFAULT false NOT NULL,
    category TEXT NOT NULL,
    tags TEXT DEFAULT '' NOT NULL,
    expanded_keywords TEXT DEFAULT '' NOT NULL,
    words TEXT DEFAULT '' NOT NULL,
    importance REAL DEFAULT 0.5 NOT NULL,
    scope TEXT DEFAULT 'global' NOT NULL,
    project TEXT DEFAULT '' NOT NULL,
    session TEXT DEFAULT '' NOT NULL,
    session_seq INTEGER DEFAULT 0 NOT NULL,
    supersedes UUID,
    expires_at TIMESTAMP WITH TIME ZONE,
    source TEXT DEFAULT 'user' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    replayed_from BIGINT,
    tsv TSVECTOR GENERATED ALWAYS AS (setweight(to_tsvector('english', coalesce(content, '')), 'A') || setweight(to_tsvector('english', tags), 'B') || setweight(to_tsvector('english', expanded_keywords || ' ' || words), 'C')) STORED,
    PRIMARY KEY (account_id, uid),
    UNIQUE (account_id, no),
    UNIQUE (account_id, version)
);
CREATE INDEX memories_category ON memories (account_id, category, created_at, uid) WHERE deleted_at IS NULL;
CREATE INDEX memories_newest ON memories (account_id, created_at, uid) WHERE deleted_at IS NULL;
CREATE INDEX memories_search ON memories USING gin (account_id, tsv) WITH (fastupdate = off) WHERE deleted_at IS NULL;
CREATE INDEX memories_successor ON memories (account_id, supersedes) WHERE supersedes IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX memories_updated ON memories (account_id, updated_at);

CREATE TABLE ops (
    account_id UUID NOT NULL,
    op_id UUID NOT NULL,
    request_hash BYTEA NOT NULL,
    status TEXT NOT NULL,
    uid UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (account_id, op_id)
);
CREATE INDEX ops_age ON ops (account_id, at);

CREATE TABLE rate_limits (
    account_id UUID NOT NULL,
    key_id TEXT NOT NULL,
    tokens REAL NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (account_id, key_id)
);

INSERT INTO epochs (epoch) VALUES (gen_random_uuid());
