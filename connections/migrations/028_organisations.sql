-- Several accounts may be connected to one Xero organisation: its limits and its documents are theirs together.
CREATE INDEX accounts_tenant ON connections.accounts (tenant_id);

CREATE FUNCTION connections.of_one_organisation(name text) RETURNS text[] STABLE LANGUAGE sql AS $$
    SELECT array_agg(account) FROM (
        SELECT name AS account
        UNION
        SELECT other.account FROM connections.accounts one JOIN connections.accounts other USING (tenant_id)
        WHERE one.account = name
    ) AS accounts
$$;
COMMENT ON FUNCTION connections.of_one_organisation IS
    'The account, connected or not, and all others that are connected to the same Xero organisation';
