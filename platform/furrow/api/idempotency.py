"""`Idempotency-Key` of the REST API: the shared mechanism, with answers that may hold the API's schemas."""

from functools import partial

from ninja.responses import NinjaJSONEncoder

from furrow.tenants import idempotency
from furrow.tenants.idempotency import fingerprint

__all__ = ["fingerprint", "run_once"]

run_once = partial(idempotency.run_once, encoder=NinjaJSONEncoder)
