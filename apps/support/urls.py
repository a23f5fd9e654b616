"""Pages of the shop, under /t/<business>/support/."""

from django.urls import path

from apps.support.views import claims, goods, imports, orders, rules

app_name = "support"
urlpatterns = [
    path("goods/", goods.goods, name="goods"),
    path("goods/new/", goods.sku_create, name="sku_create"),
    path("goods/<uuid:sku_id>/", goods.sku_update, name="sku_update"),
    path("goods/<uuid:sku_id>/deletion/", goods.sku_delete, name="sku_delete"),
    path("goods/<uuid:sku_id>/restoration/", goods.sku_restore, name="sku_restore"),
    path("zones/", rules.zones, name="zones"),
    path("zones/new/", rules.zone_create, name="zone_create"),
    path("zones/<uuid:zone_id>/", rules.zone_update, name="zone_update"),
    path("policies/", rules.policies, name="policies"),
    path("policies/limits/", rules.limits_update, name="limits_update"),
    path("policies/<slug:topic>/", rules.policy_update, name="policy_update"),
    path("rules/", rules.rules, name="rules"),
    path("rules/new/", rules.rule_create, name="rule_create"),
    path("rules/beginning/", rules.rules_begin, name="rules_begin"),
    path("rules/<uuid:rule_id>/", rules.rule_update, name="rule_update"),
    path("rules/<uuid:rule_id>/disabling/", rules.rule_disable, name="rule_disable"),
    path("rules/<uuid:rule_id>/enabling/", rules.rule_enable, name="rule_enable"),
    path("imports/", imports.imports, name="imports"),
    path("imports/new/", imports.import_create, name="import_create"),
    path("imports/samples/<str:kind>.csv", imports.sample, name="import_sample"),
    path("imports/<uuid:batch_id>/", imports.import_show, name="import"),
    path("imports/<uuid:batch_id>/columns/", imports.import_columns, name="import_columns"),
    path("imports/<uuid:batch_id>/takeover/", imports.import_apply, name="import_apply"),
    path("imports/<uuid:batch_id>/reversal/", imports.import_undo, name="import_undo"),
    path("imports/<uuid:batch_id>/disposal/", imports.import_drop, name="import_drop"),
    path("orders/", orders.orders, name="orders"),
    path("orders/<uuid:order_id>/", orders.order, name="order"),
    path("requests/", orders.requests, name="requests"),
    path("requests/<uuid:request_id>/decision/", orders.request_decide, name="request_decide"),
    path("claims/", claims.claims, name="claims"),
    path("claims/new/", claims.claim_create, name="claim_create"),
    path("claims/<uuid:claim_id>/", claims.claim, name="claim"),
    path("claims/<uuid:claim_id>/facts/", claims.claim_facts, name="claim_facts"),
    path("claims/<uuid:claim_id>/photos/", claims.photo_create, name="photo_create"),
    path("claims/<uuid:claim_id>/photos/<uuid:photo_id>/", claims.photo, name="photo"),
    path("claims/<uuid:claim_id>/photos/<uuid:photo_id>/deletion/", claims.photo_delete, name="photo_delete"),
    path("claims/<uuid:claim_id>/decision/", claims.claim_decide, name="claim_decide"),
    path("claims/<uuid:claim_id>/reopening/", claims.claim_reopen, name="claim_reopen"),
]  # fmt: skip
