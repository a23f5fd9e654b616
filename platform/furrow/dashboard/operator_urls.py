"""Pages of the person who runs the installation, under /operator/."""

from django.urls import path

from furrow.dashboard.views import operator, operator_prices, operator_tenants

app_name = "operator"
urlpatterns = [
    path("", operator.overview, name="overview"),
    path("table.csv", operator.overview_table, name="overview_table"),
    path("machines/", operator.machines, name="machines"),
    path("comparison/", operator.comparison, name="comparison"),
    path("comparison/<uuid:alarm_id>/seen/", operator.alarm_seen, name="alarm_seen"),
    path("prices/", operator_prices.prices, name="prices"),
    path("prices/new/", operator_prices.price_create, name="price_create"),
    path("prices/hours/new/", operator_prices.window_create, name="window_create"),
    path("businesses/", operator_tenants.tenants, name="tenants"),
    path("businesses/<uuid:tenant_id>/", operator_tenants.tenant, name="tenant"),
    path("businesses/<uuid:tenant_id>/credit/", operator_tenants.credit, name="credit"),
    path("businesses/<uuid:tenant_id>/adjustments/", operator_tenants.adjust, name="adjust"),
    path("businesses/<uuid:tenant_id>/limit/", operator_tenants.limit, name="limit"),
    path("businesses/<uuid:tenant_id>/payment/", operator_tenants.payment, name="payment"),
    path("businesses/<uuid:tenant_id>/low-credit/", operator_tenants.low_credit, name="low_credit"),
    path("businesses/<uuid:tenant_id>/models/", operator_tenants.models, name="models"),
    path("businesses/<uuid:tenant_id>/currency/", operator_tenants.currency, name="currency"),
    path(
        "businesses/<uuid:tenant_id>/entries/<uuid:txn>/reversal/",
        operator_tenants.reverse_entry,
        name="reverse",
    ),
]
