"""What is wrong with a cell, in words that say what to do about it."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

PROBLEMS = {
    "missing": _lazy("is empty, but needed"),
    "garbled": _lazy("has unreadable characters: save the file as UTF-8 or GBK again"),
    "not_money": _lazy("is no amount such as 12.50"),
    "negative": _lazy("is below zero"),
    "too_large": _lazy("is far too large: is the comma in the wrong place?"),
    "too_fine": _lazy("has parts of a cent"),
    "zero_price": _lazy("is zero: was the price forgotten?"),
    "not_count": _lazy("is no whole number"),
    "zero_count": _lazy("is zero"),
    "not_weight": _lazy("is no weight such as 2.5 kg"),
    "not_date": _lazy("is no date such as 2026-11-25 14:30"),
    "unlikely_date": _lazy("is a date that cannot be right"),
    "not_season": _lazy("is no season such as 11/10–1/31 or all year"),
    "not_days": _lazy("is no number of days such as 2–3"),
    "unknown_region": _lazy("names no province that we know"),
    "region_twice": _lazy("stands in two zones"),
    "scientific": _lazy("was shortened by the spreadsheet: format the column as text and export again"),
    "rounded_number": _lazy("ends in zeros as spreadsheets round long numbers: format the column as text and export again"),
    "not_order_number": _lazy("is no order number"),
    "not_tracking": _lazy("is no tracking number"),
    "not_phone": _lazy("is no phone number"),
    "not_yes_no": _lazy("is neither yes nor no"),
    "too_long": _lazy("is too long"),
    "unknown_status": _lazy("is a state that we do not know"),
    "unknown_code": _lazy("is the code of no product"),
    "no_name": _lazy("is missing: a new product needs a name"),
    "no_fee": _lazy("is missing: a zone that is served needs a fee"),
    "twice": _lazy("stands in another row too"),
    "lines_disagree": _lazy("has rows with different phone numbers"),
    "times_out_of_order": _lazy("Something happened before what must come first"),
    "shipped_without_number": _lazy("is missing although the order was sent"),
    "too_many_cells": _lazy("The row has more cells than the head: is there a comma in a cell?"),
}  # fmt: skip
FIELDS = {
    "code": _lazy("Product code"), "name": _lazy("Name"), "name_zh": _lazy("Chinese name"), "name_en": _lazy("English name"),
    "category": _lazy("Category"), "aliases": _lazy("Other names"), "spec": _lazy("Packing"), "unit": _lazy("Unit"),
    "net_weight_kg": _lazy("Net weight"), "price": _lazy("Price"), "stock": _lazy("Stock"), "quantity": _lazy("How many"),
    "season": _lazy("Season"), "storage_zh": _lazy("Storage, Chinese"), "storage_en": _lazy("Storage, English"),
    "is_cold_chain": _lazy("Cold chain"), "ships_from": _lazy("Sent from"), "regions": _lazy("Provinces"),
    "is_served": _lazy("Served"), "carrier": _lazy("Carrier"), "days": _lazy("Days"), "first_kg": _lazy("First weight"),
    "first_fee": _lazy("First fee"), "extra_fee": _lazy("Fee for each further kg"), "free_over": _lazy("Free from"),
    "cold_chain_fee": _lazy("Cold chain fee"), "is_cold_chain_served": _lazy("Cold chain served"),
    "number": _lazy("Order number"), "part": _lazy("Part of the order"), "status": _lazy("State"),
    "after_sale": _lazy("After-sale state"), "account": _lazy("Buyer"), "phone_tail": _lazy("Phone"), "region": _lazy("Province"),
    "ordered_at": _lazy("Ordered"), "paid_at": _lazy("Paid at"), "shipped_at": _lazy("Sent"), "delivered_at": _lazy("Delivered"),
    "paid_amount": _lazy("Amount paid"), "freight": _lazy("Freight"), "title": _lazy("Goods"), "sku_code": _lazy("Code of the goods"),
    "line_amount": _lazy("Amount of the line"), "tracking_number": _lazy("Tracking number"),
}  # fmt: skip


def problem_words(problem: Mapping[str, str]) -> str:
    """For example: Price “12,5o” is no amount such as 12.50."""
    what = str(PROBLEMS.get(problem["code"], problem["code"]))
    column = str(FIELDS.get(problem["column"], problem["column"]))
    if not column:
        return what
    if problem["code"] == "twice":
        return _("%(column)s stands in another row too: %(value)s") % {
            "column": column,
            "value": problem["value"],
        }
    if not problem["value"]:
        return f"{column} {what}"
    return _("%(column)s “%(value)s” %(what)s") % {
        "column": column,
        "value": problem["value"],
        "what": what,
    }
