"""What `reconcile` asks the database. Each is one statement, so each sees one moment."""

# Tokens of receipts beside the net tokens of the events they were settled into. Receipts without a hold are
# somebody else's.
TOKENS = """
WITH receipts AS (
    SELECT r.in_hit + r.in_miss + r.out + r.reasoning AS tokens, h.tenant_id, h.request_id,
           CASE WHEN r.request_id ~ '\\.[0-9]{1,4}$'
                THEN substring(r.request_id from '[0-9]+$')::int ELSE 1 END AS attempt
      FROM metering_receipt r
      LEFT JOIN metering_hold h ON h.source = r.source
       AND h.request_id = regexp_replace(r.request_id, '\\.[0-9]{1,4}$', '')
     WHERE r.source = %(source)s
       AND (%(since)s::interval IS NULL OR r.created_at > statement_timestamp() - %(since)s::interval)
)
SELECT coalesce(sum(o.tokens) FILTER (WHERE o.tenant_id IS NOT NULL), 0), coalesce(sum(e.tokens), 0),
       count(*) FILTER (WHERE o.tenant_id IS NULL)
  FROM receipts o LEFT JOIN LATERAL (
    SELECT sum(in_hit + in_miss + out + reasoning) AS tokens FROM metering_usageevent e
     WHERE e.tenant_id = o.tenant_id AND e.source = %(source)s AND e.source_id = o.request_id
       AND e.attempt = o.attempt) e ON true
"""

RUN_TOKENS = """
SELECT coalesce(sum(in_hit + in_miss + out + reasoning), 0), coalesce(max(seq), 0) FROM metering_receipt
 WHERE source = %(source)s AND boot_id = %(boot)s AND seq > %(after)s
"""

# Holds that the sweep should have ended, and tokens that cost nothing though every price was above 0.
REST = """
SELECT (SELECT count(*) FROM metering_hold
         WHERE state = 'open' AND expires_at < statement_timestamp() - interval '5 minutes'),
       (SELECT count(*) FROM metering_usageevent e
         WHERE e.cost = 0 AND e.basis <> 'corrected' AND e.in_hit + e.in_miss + e.out + e.reasoning > 0
           AND (%(since)s::interval IS NULL OR e.created_at > statement_timestamp() - %(since)s::interval)
           AND EXISTS (SELECT 1 FROM metering_priceitem p
                        WHERE p.id = ANY(e.price_ids) AND p.per_million > 0)
           AND NOT EXISTS (SELECT 1 FROM metering_priceitem p
                            WHERE p.id = ANY(e.price_ids) AND p.per_million = 0))
"""

# Months of a tenant beside its hours, the events of hours not summed up yet, and what people entered.
DRIFT_QUICK = """
WITH due AS (
    SELECT DISTINCT tenant_id, hour FROM metering_rollupdue
), charged AS (
    SELECT tenant_id, charged FROM (
        SELECT u.tenant_id, sum(u.charged) AS charged FROM metering_usagehour u
         WHERE NOT EXISTS (SELECT 1 FROM due d WHERE d.tenant_id = u.tenant_id AND d.hour = u.hour)
         GROUP BY u.tenant_id
        UNION ALL
        SELECT d.tenant_id, sum(e.charged) FROM due d JOIN metering_usageevent e
            ON e.tenant_id = d.tenant_id AND e.started_at >= d.hour
           AND e.started_at < d.hour + interval '1 hour' AND 'tenant' = ANY(e.scopes)
         GROUP BY d.tenant_id
        UNION ALL
        SELECT l.tenant_id, sum(l.debit - l.credit) FROM metering_ledgerline l
         WHERE l.reason <> 'usage' AND l.reason <> 'correction' AND l.account IN ('wallet', 'receivable')
           AND 'tenant' = ANY(l.scopes)
         GROUP BY l.tenant_id
    ) AS parts
), posted AS (
    SELECT tenant_id, sum(posted) AS posted FROM metering_balance
     WHERE scope = 'tenant' AND period = 'month' GROUP BY tenant_id
), tenants AS (
    SELECT coalesce(p.posted, 0) - coalesce(c.charged, 0) AS difference
      FROM posted p FULL JOIN (SELECT tenant_id, sum(charged) AS charged FROM charged GROUP BY tenant_id) c
        ON c.tenant_id = p.tenant_id
), held AS (
    SELECT coalesce(b.held, 0) - coalesce(h.amount, 0) AS difference
      FROM (SELECT id, held FROM metering_balance WHERE held <> 0) b
      FULL JOIN (SELECT i.id, sum(o.amount) AS amount
                   FROM metering_hold o, unnest(o.balance_ids) AS i(id)
                  WHERE o.state = 'open' GROUP BY i.id) h ON h.id = b.id
)
SELECT coalesce((SELECT sum(abs(difference)) FROM tenants), 0),
       coalesce((SELECT sum(abs(difference)) FROM held), 0)
"""
