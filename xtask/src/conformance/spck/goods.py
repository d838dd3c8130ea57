"""The demo shop as the kit needs it: goods of every kind that a check asks for, and promotions that add up."""

import json
import urllib.request

TEN_PERCENT, TWO_DOLLARS, ONE_PRODUCT = "SPCK10", "SPCK2", "SPCKITEM"
TOGETHER = {"product": True, "order": True, "shipping": True}
# What the kit searches for page by page.
PEBBLES = 12


class Shop:
    def __init__(self, url, key):
        self.url, self.key = url, key

    def read(self, path):
        return self._send("GET", path)

    def staff(self, method, path, body):
        return self._send(method, "/admin" + path, body)

    def _send(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", "If-Match": "*"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


def config(shop):
    """Fills the shop, and says to the kit what is in it."""
    first, second, third = (mug(shop, name) for name in ("first", "second", "third"))
    for number in range(PEBBLES):
        mug(shop, f"pebble {number}")
    gone = mug(shop, "gone", stock=0)
    shirt = configurable(shop)
    percent = {"kind": "percentage", "rate_millionths": 100_000}
    fixed = {"kind": "fixed", "amount_minor": 200}
    promote(shop, "order", percent, codes=[TEN_PERCENT])
    promote(shop, "order", fixed, codes=[TWO_DOLLARS], currency="USD")
    promote(shop, "product", percent, codes=[ONE_PRODUCT], conditions={"variant_ids": [second]})
    promote(shop, "product", percent, conditions={"variant_ids": [third]})
    return {
        "product_id": first,
        "currency": "USD",
        "out_of_stock_id": gone,
        "fulfillment_option_id": "standard",
        "complete_payment": pay("tok_ok"),
        "fail_payment": pay("tok_declined"),
        "payment": {"escalation_payment": pay("tok_action_required")},
        "discount": {
            "valid_code": TEN_PERCENT,
            "second_valid_code": TWO_DOLLARS,
            "invalid_code": "NOT_A_REAL_CODE",
            "case_insensitive": True,
            "rejected_messages": True,
            "item": {"code": ONE_PRODUCT, "product_id": second, "quantity": 2},
            "automatic": {"product_id": third, "quantity": 1},
        },
        "catalog": {
            "variant_id": first,
            "configurable_product_id": shirt,
            "max_batch": 50,
            "paginated_query": "pebble",
            "paginated_total": PEBBLES,
        },
        "unavailable": {"business_outcome": True},
        "cart": {"second_product_id": second},
        # There is no such thing as calling off one line of an order, so `order.second_product_id` is missing.
        "order": {"simulate_adjustment": True, "simulate_fulfillment": True},
    }


def mug(shop, name, stock=1000):
    """The id of the variant of a new product."""
    sku = "SPCK-" + name.replace(" ", "-").upper()
    prices = [{"currency": "USD", "amount_minor": 2000}]
    product = {"slug": sku.lower(), "title": f"Conformance mug, {name}", "variants": [{"sku": sku, "prices": prices}]}
    made = shop.staff("POST", "/products", product)
    if stock:
        shop.staff("POST", "/stock/adjustments", {"sku": sku, "delta": stock, "reason": "conformance"})
    return made["variants"][0]["id"]


def configurable(shop):
    """The id of a product of the demo that has several variants to choose from."""
    listed = shop.read("/products?in_stock=true&limit=100")["items"]
    return next(product["id"] for product in listed if product["variants"] > 1)


def promote(shop, kind, action, **more):
    rules = {"title": "Conformance", "class": kind, "action": action, "combines_with": TOGETHER}
    shop.staff("POST", "/promotions", rules | more)


def pay(token):
    """What a program sends to complete a checkout."""
    instrument = {
        "id": "instr_1",
        "handler_id": "test",
        "type": "card",
        "display": {"brand": "Visa", "last_digits": "1234"},
        "credential": {"type": "token", "token": token},
    }
    return {"payment": {"instruments": [instrument]}}
