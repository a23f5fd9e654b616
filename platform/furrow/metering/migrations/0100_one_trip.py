"""Hold, settle and void as one statement each, so that a tenant's gate is closed for no round trip.

The functions run with the caller's rights and behind row-level security; each names its tenant first and puts
the transaction's own back at its end.
"""

from django.db import migrations, models
from django.db.models.functions import Now

# What each bucket of a call costs: a model's own price before the one for any model, one for these hours before
# one for the day, and thinking like answering unless it has a price.
PRICES = """
CREATE FUNCTION metering_window_holds(zone text, spans jsonb, moment timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM jsonb_array_elements(spans) AS s(span),
               LATERAL (SELECT (moment AT TIME ZONE zone)::time AS clock,
                               (s.span ->> 0)::time AS begins, (s.span ->> 1)::time AS ends) AS t
         WHERE CASE WHEN begins < ends THEN clock >= begins AND clock < ends
                    ELSE clock >= begins OR clock < ends END)
$$;

CREATE FUNCTION metering_prices(_model text, _currency text, _kind text, _at timestamptz)
RETURNS TABLE (bucket text, price_id uuid, per_million numeric, book_version integer)
LANGUAGE sql STABLE AS $$
    WITH valid AS MATERIALIZED (
        SELECT DISTINCT ON (p.kind) p.kind, p.id, p.per_million, p.book_version
          FROM metering_priceitem p LEFT JOIN metering_pricewindow w ON w.name = p."window"
         WHERE p.currency = _currency AND p.model IN (_model, '*') AND p.valid @> _at
           AND (p."window" = '' OR metering_window_holds(w.timezone, w.spans, _at))
         ORDER BY p.kind, p.model <> '*' DESC, p."window" COLLATE "C" DESC
    )
    SELECT b.bucket, v.id, v.per_million, v.book_version
      FROM unnest(ARRAY['in_hit', 'in_miss', 'out', 'reasoning']) AS b(bucket)
      JOIN valid v ON v.kind = CASE
           WHEN _kind = 'embedding' THEN 'embed'
           WHEN _kind = 'rerank' THEN 'rerank'
           WHEN b.bucket = 'reasoning' AND NOT EXISTS (SELECT 1 FROM valid WHERE kind = 'reasoning')
               THEN 'out'
           ELSE b.bucket END
$$;

-- Tokens at a price for a million, in twelve decimals, halves to even.
CREATE FUNCTION metering_cost(_tokens bigint, _per_million numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    _thousandths numeric := _tokens * _per_million * 1000000000;
    _units numeric := div(_thousandths, 1000);
    _rest numeric := _thousandths - _units * 1000;
BEGIN
    IF _rest > 500 OR (_rest = 500 AND mod(_units, 2) = 1) THEN
        _units := _units + 1;
    END IF;
    RETURN round(_units * 0.000000000001, 12);
END $$;
"""
PRICES_BACK = """
DROP FUNCTION metering_cost(bigint, numeric);
DROP FUNCTION metering_prices(text, text, text, timestamptz);
DROP FUNCTION metering_window_holds(text, jsonb, timestamptz);
"""

# The gate: every change of a tenant's money passes it, one at a time. The account is made on first use.
GATE = """
CREATE FUNCTION metering_gate(_tenant uuid, OUT currency text, OUT is_prepaid boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    SELECT a.currency, a.is_prepaid INTO metering_gate.currency, metering_gate.is_prepaid
      FROM metering_account a WHERE a.tenant_id = _tenant FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO metering_account (id, tenant_id, currency, is_prepaid)
        VALUES (gen_random_uuid(), _tenant, 'CNY', false) ON CONFLICT DO NOTHING;
        SELECT a.currency, a.is_prepaid INTO metering_gate.currency, metering_gate.is_prepaid
          FROM metering_account a WHERE a.tenant_id = _tenant FOR NO KEY UPDATE;
    END IF;
END $$;
"""

# The balances in which a call of these scopes counts at that moment, those missing made with what the ledger
# says was spent before. A budget named for a scope comes before one for each of its kind; the tenant's month is
# always counted. From a budget's beginning on its balances exist before anything is posted to them, so only
# what happened before it is summed up.
BALANCES = """
CREATE FUNCTION metering_balances(_tenant uuid, _currency text, _scopes text[], _moment timestamptz, _zone text)
RETURNS uuid[] LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _day date := (_moment AT TIME ZONE _zone)::date;
    _month date := date_trunc('month', _moment AT TIME ZONE _zone)::date;
    _found uuid[];
BEGIN
    WITH budgets AS (
        SELECT DISTINCT ON (scope, period) * FROM (
            SELECT s.scope, g.period, g.cap_soft, g.cap_hard, g.thresholds, g.id AS budget_id, g.active_since,
                   CASE g.scope_id WHEN '*' THEN 1 ELSE 2 END AS rank
              FROM metering_budget g
              JOIN unnest(_scopes) AS s(scope)
                ON g.scope_kind = split_part(s.scope, ':', 1)
               AND g.scope_id IN (substr(s.scope, strpos(s.scope || ':', ':') + 1), '*')
             WHERE g.tenant_id = _tenant AND g.currency = _currency AND g.is_active
            UNION ALL
            SELECT 'tenant', 'month', NULL, NULL, '{}'::smallint[], NULL, NULL, 0 WHERE 'tenant' = ANY(_scopes)
        ) AS any_budget ORDER BY scope, period, rank DESC
    ), existing AS (
        SELECT b.id, b.scope, b.period FROM metering_balance b
         WHERE b.tenant_id = _tenant AND b.currency = _currency AND b.scope = ANY(_scopes)
           AND (b.period, b.period_start) IN (('day', _day), ('month', _month), ('ever', DATE '1970-01-01'))
    ), made AS (
        INSERT INTO metering_balance (id, tenant_id, scope, period, period_start, currency, posted, held,
                                      cap_soft, cap_hard, thresholds, budget_id)
        SELECT gen_random_uuid(), _tenant, w.scope, w.period, metering_period_start(w.period, _moment, _zone),
               _currency,
               metering_posted(_tenant, _currency, w.scope, w.period, _moment, _zone, w.active_since), 0,
               w.cap_soft, w.cap_hard, w.thresholds, w.budget_id
          FROM budgets w
         WHERE NOT EXISTS (SELECT 1 FROM existing e WHERE e.scope = w.scope AND e.period = w.period)
        RETURNING id
    )
    SELECT array_agg(id) INTO _found FROM (SELECT id FROM existing UNION ALL SELECT id FROM made) AS all_ids;
    RETURN _found;
END $$;

CREATE FUNCTION metering_period_end(period text, moment timestamptz, zone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE period
        WHEN 'day' THEN (date_trunc('day', moment AT TIME ZONE zone) + interval '1 day') AT TIME ZONE zone
        WHEN 'month' THEN (date_trunc('month', moment AT TIME ZONE zone) + interval '1 month') AT TIME ZONE zone
        ELSE timestamptz 'infinity' END
$$;

CREATE FUNCTION metering_posted(_tenant uuid, _currency text, _scope text, _period text, _moment timestamptz,
                                _zone text, _before timestamptz) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
    _begins timestamptz := metering_period_start(_period, _moment, _zone)::timestamp AT TIME ZONE _zone;
    _ends timestamptz := least(metering_period_end(_period, _moment, _zone), _before);
    _sum numeric := 0;
BEGIN
    IF _begins < _ends THEN
        SELECT coalesce(sum(l.debit - l.credit), 0) INTO _sum FROM metering_ledgerline l
         WHERE l.tenant_id = _tenant AND l.currency = _currency AND l.account IN ('wallet', 'receivable')
           AND l.occurred_at >= _begins AND l.occurred_at < _ends AND _scope = ANY(l.scopes);
    END IF;
    RETURN _sum;
END $$;
"""
BALANCES_BACK = """
DROP FUNCTION metering_balances(uuid, text, text[], timestamptz, text);
DROP FUNCTION metering_posted(uuid, text, text, text, timestamptz, text, timestamptz);
DROP FUNCTION metering_period_end(text, timestamptz, text);
"""

# Outcomes: held; full (of `full_scope`); unpriced; exists.
HOLD = """
CREATE FUNCTION metering_hold_open(
    _tenant uuid, _request text, _source text, _kind text, _model text, _scopes text[], _attribution jsonb,
    _in bigint, _out bigint, _n integer, _least bigint, _ttl interval, _zone text,
    OUT outcome text, OUT hold_id uuid, OUT amount numeric, OUT out_tokens bigint, OUT currency text,
    OUT full_scope text, OUT expires_at timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _tenant_before text := current_setting('app.tenant', true);
    _now timestamptz := statement_timestamp();
    _is_prepaid boolean;
    _prices jsonb;
    _book integer;
    _buckets integer;
    _dear_in numeric;
    _dear_out numeric;
    _ids uuid[];
    _room numeric;
    _amount numeric;
    _granted bigint := _out;
    _id uuid := gen_random_uuid();
BEGIN
    PERFORM set_config('app.tenant', _tenant::text, true);
    SELECT g.currency, g.is_prepaid INTO metering_hold_open.currency, _is_prepaid FROM metering_gate(_tenant) g;
    IF _is_prepaid THEN
        _scopes := _scopes || 'wallet'::text;
    END IF;
    SELECT jsonb_object_agg(p.bucket, jsonb_build_array(p.price_id, p.per_million::text)), max(p.book_version),
           count(*), max(p.per_million) FILTER (WHERE p.bucket IN ('in_hit', 'in_miss')),
           max(p.per_million) FILTER (WHERE p.bucket IN ('out', 'reasoning'))
      INTO _prices, _book, _buckets, _dear_in, _dear_out
      FROM metering_prices(_model, metering_hold_open.currency, _kind, _now) p;
    IF _buckets < 4 THEN
        outcome := 'unpriced';
        PERFORM set_config('app.tenant', coalesce(_tenant_before, ''), true);
        RETURN;
    END IF;
    _ids := metering_balances(_tenant, metering_hold_open.currency, _scopes, _now, _zone);
    SELECT min(b.cap_hard - b.posted - b.held) INTO _room FROM metering_balance b
     WHERE b.tenant_id = _tenant AND b.id = ANY(_ids);
    -- Each of four buckets is rounded by itself when it is paid.
    _amount := round((_in * _dear_in + _out * _n * _dear_out) * 0.000001, 12);
    _amount := CASE WHEN _amount > 0 THEN _amount + 0.000000000004 ELSE 0 END;
    IF _amount > _room AND _least IS NOT NULL AND _dear_out > 0 THEN
        _granted := least(
            _out, floor((_room - _in * _dear_in * 0.000001 - 0.000000000005) * 1000000 / (_dear_out * _n)));
        _amount := round((_in * _dear_in + _granted * _n * _dear_out) * 0.000001, 12) + 0.000000000004;
    END IF;
    IF _amount > _room OR (_granted < _out AND _granted < _least) THEN
        outcome := 'full';
        SELECT b.scope INTO full_scope FROM metering_balance b
         WHERE b.tenant_id = _tenant AND b.id = ANY(_ids) AND b.cap_hard IS NOT NULL
         ORDER BY b.cap_hard - b.posted - b.held, b.scope LIMIT 1;
        PERFORM set_config('app.tenant', coalesce(_tenant_before, ''), true);
        RETURN;
    END IF;
    INSERT INTO metering_hold (id, tenant_id, request_id, source, kind, model, scopes, balance_ids, attribution,
                               currency, amount, prices, book_version, state, started_at, expires_at)
    VALUES (_id, _tenant, _request, _source, _kind, _model, _scopes, _ids, _attribution,
            metering_hold_open.currency, _amount, _prices, _book, 'open', _now, _now + _ttl)
    ON CONFLICT (tenant_id, request_id) DO NOTHING;
    IF NOT FOUND THEN
        outcome := 'exists';
    ELSE
        UPDATE metering_balance SET held = held + _amount WHERE tenant_id = _tenant AND id = ANY(_ids);
        outcome := 'held';
        hold_id := _id;
        amount := _amount;
        out_tokens := _granted;
        expires_at := _now + _ttl;
    END IF;
    PERFORM set_config('app.tenant', coalesce(_tenant_before, ''), true);
END $$;
"""

# Outcomes: settled; absorbed (kept at our cost, the hold not ended by it); known; unknown. `notices` are the
# soft thresholds passed by it.
SETTLE = """
CREATE FUNCTION metering_settle(
    _tenant uuid, _request text, _attempt integer, _in_hit bigint, _in_miss bigint, _out bigint,
    _reasoning bigint, _basis text, _status text, _finished timestamptz, _busy_us bigint, _is_last boolean,
    _zone text,
    OUT outcome text, OUT event_id uuid, OUT cost numeric, OUT charged numeric, OUT notices jsonb)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _tenant_before text := current_setting('app.tenant', true);
    _hold metering_hold%ROWTYPE;
    _costs numeric[];
    _cost numeric;
    _charged numeric := 0;
    _is_paid boolean;
    _ids uuid[];
    _id uuid := gen_random_uuid();
    _txn uuid := gen_random_uuid();
BEGIN
    PERFORM set_config('app.tenant', _tenant::text, true);
    PERFORM 1 FROM metering_gate(_tenant);
    SELECT * INTO _hold FROM metering_hold h WHERE h.tenant_id = _tenant AND h.request_id = _request;
    IF NOT FOUND THEN
        outcome := 'unknown';
        PERFORM set_config('app.tenant', coalesce(_tenant_before, ''), true);
        RETURN;
    END IF;
    SELECT e.id, e.cost, e.charged INTO event_id, metering_settle.cost, metering_settle.charged
      FROM metering_usageevent e
     WHERE e.tenant_id = _tenant AND e.source = _hold.source AND e.source_id = _request
       AND e.attempt = _attempt AND e.basis <> 'corrected';
    IF FOUND THEN
        outcome := 'known';
    ELSE
        _costs := ARRAY[metering_cost(_in_hit, (_hold.prices -> 'in_hit' ->> 1)::numeric),
                        metering_cost(_in_miss, (_hold.prices -> 'in_miss' ->> 1)::numeric),
                        metering_cost(_out, (_hold.prices -> 'out' ->> 1)::numeric),
                        metering_cost(_reasoning, (_hold.prices -> 'reasoning' ->> 1)::numeric)];
        _cost := _costs[1] + _costs[2] + _costs[3] + _costs[4];
        _is_paid := _status <> 'failed' AND _hold.state = 'open';
        outcome := CASE WHEN _is_paid THEN 'settled' ELSE 'absorbed' END;
        IF _is_paid THEN
            _charged := least(_cost, _hold.amount);
            _ids := metering_balances(_tenant, _hold.currency, _hold.scopes, _hold.started_at, _zone);
            PERFORM metering_hold_close(_hold, 'settled', _ids, _charged);
        END IF;
        INSERT INTO metering_usageevent (
            id, tenant_id, hold_id, source, source_id, attempt, revision, basis, status, kind, model, currency,
            assistant_id, channel, api_key_id, member_id, rung, visitor_id, turn_id,
            in_hit, in_miss, out, reasoning, cost_in_hit, cost_in_miss, cost_out, cost_reasoning, cost,
            charged, absorbed, prices, price_ids, book_version, busy_us, scopes, started_at, finished_at)
        VALUES (
            _id, _tenant, _hold.id, _hold.source, _request, _attempt, 0, _basis,
            CASE WHEN _is_paid THEN _status ELSE 'failed' END, _hold.kind, _hold.model, _hold.currency,
            coalesce(_hold.attribution ->> 'assistant_id', ''), coalesce(_hold.attribution ->> 'channel', ''),
            coalesce(_hold.attribution ->> 'api_key_id', ''), coalesce(_hold.attribution ->> 'member_id', ''),
            coalesce(_hold.attribution ->> 'rung', ''), coalesce(_hold.attribution ->> 'visitor_id', ''),
            coalesce(_hold.attribution ->> 'turn_id', ''),
            _in_hit, _in_miss, _out, _reasoning, _costs[1], _costs[2], _costs[3], _costs[4], _cost,
            _charged, _cost - _charged, _hold.prices,
            ARRAY(SELECT DISTINCT (v.value ->> 0)::uuid FROM jsonb_each(_hold.prices) AS v ORDER BY 1),
            _hold.book_version, _busy_us, _hold.scopes, _hold.started_at,
            coalesce(_finished, statement_timestamp()));
        IF _cost > 0 THEN
            INSERT INTO metering_ledgerline (id, tenant_id, txn, account, debit, credit, currency, reason,
                                             note, event_id, scopes, occurred_at)
            SELECT gen_random_uuid(), _tenant, _txn, line.account, line.debit, line.credit, _hold.currency,
                   'usage', '', _id, _hold.scopes, _hold.started_at
              FROM (VALUES (CASE WHEN 'wallet' = ANY(_hold.scopes) THEN 'wallet' ELSE 'receivable' END,
                            _charged, 0::numeric),
                           ('absorbed', _cost - _charged, 0),
                           ('revenue', 0, _cost)) AS line(account, debit, credit)
             WHERE line.debit + line.credit > 0;
        END IF;
        INSERT INTO metering_rollupdue (id, tenant_id, hour, created_at)
        VALUES (gen_random_uuid(), _tenant, date_trunc('hour', _hold.started_at, 'UTC'), statement_timestamp());
        IF _charged > 0 THEN
            notices := metering_notices(_tenant, _ids, _charged);
        END IF;
        event_id := _id;
        cost := _cost;
        charged := _charged;
    END IF;
    IF _is_last AND _status = 'failed' AND _hold.state = 'open' THEN
        PERFORM metering_hold_close(_hold, 'voided', _hold.balance_ids, 0);
    END IF;
    PERFORM set_config('app.tenant', coalesce(_tenant_before, ''), true);
END $$;

-- Ends an open hold, gives back what it held, and posts what is paid of it. Behind the gate.
CREATE FUNCTION metering_hold_close(_hold metering_hold, _state text, _ids uuid[], _charged numeric)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE metering_hold SET state = _state, closed_at = statement_timestamp()
     WHERE tenant_id = _hold.tenant_id AND id = _hold.id;
    UPDATE metering_balance b
       SET posted = b.posted + CASE WHEN b.id = ANY(_ids) THEN _charged ELSE 0 END,
           held = b.held - CASE WHEN b.id = ANY(_hold.balance_ids) THEN _hold.amount ELSE 0 END
     WHERE b.tenant_id = _hold.tenant_id AND b.id = ANY(_ids || _hold.balance_ids);
END $$;

CREATE FUNCTION metering_void(_tenant uuid, _request text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    _tenant_before text := current_setting('app.tenant', true);
    _hold metering_hold%ROWTYPE;
    _is_open boolean;
BEGIN
    PERFORM set_config('app.tenant', _tenant::text, true);
    PERFORM 1 FROM metering_gate(_tenant);
    SELECT * INTO _hold FROM metering_hold h
     WHERE h.tenant_id = _tenant AND h.request_id = _request AND h.state = 'open';
    _is_open := FOUND;
    IF _is_open THEN
        PERFORM metering_hold_close(_hold, 'voided', _hold.balance_ids, 0);
    END IF;
    PERFORM set_config('app.tenant', coalesce(_tenant_before, ''), true);
    RETURN _is_open;
END $$;

-- Notes each soft threshold that was passed by posting so much just now, once a period. Behind the gate.
CREATE FUNCTION metering_notices(_tenant uuid, _ids uuid[], _spent numeric) RETURNS jsonb LANGUAGE sql AS $$
    WITH passed AS (
        SELECT b.id, b.scope, b.period, b.period_start, b.currency, b.posted,
               coalesce(b.cap_soft, b.cap_hard) AS cap, b.cap_hard IS NOT NULL AS is_hard, t.percent
          FROM metering_balance b, unnest(b.thresholds) AS t(percent)
         WHERE b.tenant_id = _tenant AND b.id = ANY(_ids) AND b.thresholds <> '{}'
           AND coalesce(b.cap_soft, b.cap_hard) > 0
           AND b.posted - _spent < coalesce(b.cap_soft, b.cap_hard) * t.percent / 100
           AND b.posted >= coalesce(b.cap_soft, b.cap_hard) * t.percent / 100
    ), noted AS (
        INSERT INTO metering_budgetnotice (id, tenant_id, balance_id, percent, posted)
        SELECT gen_random_uuid(), _tenant, id, percent, posted FROM passed
        ON CONFLICT (tenant_id, balance_id, percent) DO NOTHING RETURNING balance_id, percent
    )
    SELECT jsonb_agg(jsonb_build_object(
               'tenant_id', _tenant, 'scope', p.scope, 'period', p.period, 'period_start', p.period_start,
               'percent', p.percent, 'posted', p.posted::text, 'cap', p.cap::text, 'is_hard', p.is_hard,
               'currency', p.currency) ORDER BY p.percent)
      FROM noted n JOIN passed p ON p.id = n.balance_id AND p.percent = n.percent
$$;
"""
SETTLE_BACK = """
DROP FUNCTION metering_notices(uuid, uuid[], numeric);
DROP FUNCTION metering_void(uuid, text);
DROP FUNCTION metering_settle(uuid, text, integer, bigint, bigint, bigint, bigint, text, text, timestamptz,
                              bigint, boolean, text);
DROP FUNCTION metering_hold_close(metering_hold, text, uuid[], numeric);
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0003_default_prices")]
    operations = [
        migrations.AddField(
            model_name="budget",
            name="active_since",
            field=models.DateTimeField(db_default=Now()),
        ),
        migrations.RunSQL(PRICES, PRICES_BACK),
        migrations.RunSQL(GATE, "DROP FUNCTION metering_gate(uuid)"),
        migrations.RunSQL(BALANCES, BALANCES_BACK),
        migrations.RunSQL(
            HOLD,
            "DROP FUNCTION metering_hold_open(uuid, text, text, text, text, text[], jsonb, bigint, bigint,"
            " integer, bigint, interval, text)",
        ),
        migrations.RunSQL(SETTLE, SETTLE_BACK),
    ]
