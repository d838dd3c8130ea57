"""Fills a fresh shop and writes the configuration of Schemathesis, so that requests meet things that exist.

Usage: prepare.py <url> <api key> <file to write>
"""

import json
import sys
import uuid

import requests

URL, KEY, FILE = sys.argv[1:]
API = URL + "/api/v1"
STAFF = {"Authorization": f"Bearer {KEY}"}
ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "1 Main Street",
    "city": "New York",
    "region": "NY",
    "postal_code": "10001",
    "country": "US",
}


def send(method, path, body=None, headers=None):
    answer = requests.request(method, API + path, json=body, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer


def cart():
    return send("POST", "/cart/items", {"sku": "MAP-1", "quantity": 2}).json()


def checkout(of_cart, more):
    body = {"email": "ada@example.com", "shipping_address": ADDRESS, "shipping_method": "standard", **more}
    headers = {"Cart-Token": of_cart["token"], "Idempotency-Key": str(uuid.uuid4())}
    return send("POST", "/checkout", body, headers).json()


product = send("GET", "/products/trail-map").json()
category = send("POST", "/admin/categories", {"name": "Maps of today"}, STAFF).json()
bought_cart = cart()
total = checkout(bought_cart, {})["total_minor"]
order = checkout(bought_cart, {"payment": {"token": "tok_ok"}, "expected_total_minor": total})["order"]
open_cart = cart()
open_checkout = checkout(open_cart, {})
key = send("POST", "/admin/keys", {"name": "spare", "scopes": ["orders:read"]}, STAFF).json()

# Which thing the path of an operation is about. Operations that end it stay without, or nothing would be left.
THINGS = {
    "GET /api/v1/admin/products/{id}": product["id"],
    "PUT /api/v1/admin/products/{id}": product["id"],
    "PUT /api/v1/admin/categories/{id}": category["id"],
    "GET /api/v1/admin/orders/{id}": order["id"],
    "GET /api/v1/admin/orders/{id}/history": order["id"],
    "GET /api/v1/admin/orders/{id}/reconciliation": order["id"],
    "POST /api/v1/admin/orders/{id}/pack": order["id"],
    "POST /api/v1/admin/orders/{id}/ship": order["id"],
    "POST /api/v1/admin/orders/{id}/deliver": order["id"],
    "POST /api/v1/admin/orders/{id}/cancel": order["id"],
    "GET /api/v1/orders/{id}": order["id"],
    "GET /api/v1/checkout/{id}": open_checkout["id"],
    "PATCH /api/v1/checkout/{id}": open_checkout["id"],
    "POST /api/v1/checkout/{id}/complete": open_checkout["id"],
    "PATCH /api/v1/cart/items/{id}": open_cart["lines"][0]["id"],
}
OTHERS = {
    "GET /api/v1/products/{key}": {"key": product["slug"]},
    "GET /api/v1/admin/stock/{variant_id}": {"variant_id": product["variants"][0]["id"]},
    "GET /api/v1/admin/stock/{variant_id}/movements": {"variant_id": product["variants"][0]["id"]},
    "PUT /api/v1/admin/variants/{sku}/prices": {"sku": "MAP-1"},
    "GET /api/v1/admin/channels/{code}": {"code": "default"},
    "POST /api/v1/webhooks/{provider}": {"provider": "test"},
}


def main():
    lines = ["[headers]", f'Authorization = "Bearer {KEY}"', "", "[checks]"]
    # Every check is on but these. Not all that is wrong can be said in a schema, such as a cursor that nobody made.
    # And a cart that is not named is a cart that is not found.
    lines += [f"{name}.enabled = false" for name in ("positive_data_acceptance", "missing_required_header")]
    things = {operation: {"id": thing} for operation, thing in THINGS.items()} | OTHERS
    for operation, parameters in things.items():
        lines += ["", "[[operations]]", f"include-name = {json.dumps(operation)}"]
        fixed = {f"path.{name}": value for name, value in parameters.items()}
        if operation.endswith("/orders/{id}") and "admin" not in operation:
            # Whoever has the key of staff sees an order without its token.
            lines.append("checks.ignored_auth.enabled = false")
        if "/cart" in operation or "/checkout" in operation:
            fixed["header.Cart-Token"] = open_cart["token"]
        lines.append("[operations.parameters]")
        lines += [f"{json.dumps(name)} = {json.dumps(value)}" for name, value in fixed.items()]
    with open(FILE, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


main()
