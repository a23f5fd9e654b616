"""Why a call of a model is not made. All are `LimitReached`, so whatever can do without the model goes on."""

from furrow.core.errors import LimitReached


class BudgetExceeded(LimitReached):
    """`details["scope"]` names the budget that is used up."""

    status, code = 402, "budget_exceeded"


class PriceUnknown(LimitReached):
    """No price is valid for the model now: what cannot be priced is not bought."""

    status, code = 403, "price_unknown"


class ModelWithheld(LimitReached):
    """The operator does not let this business use the model."""

    status, code = 403, "model_withheld"
