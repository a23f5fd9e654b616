"""Tables of the shop: what it sells and where it sends, its orders, its claims, and the files they came from."""

from apps.support.models.catalogue import Product, SeasonWindow, Sku, StockSnapshot, StorageTip
from apps.support.models.claims import Claim, ClaimPhoto, ClaimRule
from apps.support.models.imports import ColumnMapping, ImportBatch, ImportChange, ImportRow
from apps.support.models.orders import Customer, Order, OrderLine, Shipment, StaffRequest
from apps.support.models.rules import Policy, ShippingPause, ShippingRule, ShopSettings

__all__ = [
    "Claim",
    "ClaimPhoto",
    "ClaimRule",
    "ColumnMapping",
    "Customer",
    "ImportBatch",
    "ImportChange",
    "ImportRow",
    "Order",
    "OrderLine",
    "Policy",
    "Product",
    "SeasonWindow",
    "Shipment",
    "ShippingPause",
    "ShippingRule",
    "ShopSettings",
    "Sku",
    "StaffRequest",
    "StockSnapshot",
    "StorageTip",
]
