"""Buys at a shop with the libraries that programs are written with, and reads what it says with the official models.

`clients.py URL`: where a shop with the goods of the demo is. Prints a line for each thing that works; fails at the first
that does not.
"""

import asyncio
import json
import sys
import urllib.request
import uuid

from mcp.client.client import Client
from ucp_sdk.models.schemas.profile import BusinessSchema, UcpProfileDocument
from ucp_sdk.models.schemas.shopping.checkout import Checkout
from ucp_sdk.models.schemas.shopping.order import Order

VERSION = "2026-08-25"
REVISIONS = {"2025-11-25": "legacy", "2026-07-28": "2026-07-28"}
ADDRESS = {
    "id": "home",
    "type": "shipping_address",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "street_address": "12 St James Place",
    "address_locality": "New York",
    "address_region": "NY",
    "postal_code": "10038",
    "address_country": "US",
}
PAYMENT = {
    "instruments": [
        {
            "id": "card",
            "handler_id": "test",
            "type": "card",
            "credential": {"type": "token", "token": "tok_ok"},
        }
    ]
}


def basket(variant):
    """A checkout of one thing that goes to an address."""
    method = {
        "type": "shipping",
        "destinations": [ADDRESS],
        "selected_destination_id": ADDRESS["id"],
        "groups": [{"id": "parcel", "selected_option_id": "standard"}],
    }
    return {
        "line_items": [{"item": {"id": variant}, "quantity": 1}],
        "buyer": {"email": "ada@example.com"},
        "fulfillment": {"methods": [method]},
    }


def available(products):
    """A variant that is in stock and is sent."""
    variants = (variant for product in products for variant in product["variants"])
    return next(variant["id"] for variant in variants if variant["availability"]["available"])


class Rest:
    """The REST binding, without a library: what is tested is the models."""

    def __init__(self, shop):
        self.shop = shop
        self.agent = f'profile="{shop}/mcp/assistant.json"'

    def ask(self, method, path, body=None):
        headers = {
            "UCP-Agent": self.agent,
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.shop}{path}"
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as answer:
            return json.load(answer)


def read_with_the_models(shop):
    """Buys over REST, and reads every answer with `ucp-sdk`."""
    rest = Rest(shop)
    profile = rest.ask("GET", "/.well-known/ucp")
    UcpProfileDocument.model_validate(profile)
    BusinessSchema.model_validate(profile)
    found = rest.ask("POST", f"/ucp/{VERSION}/catalog/search", {"query": "coffee"})
    checkout = rest.ask("POST", f"/ucp/{VERSION}/checkout-sessions", basket(available(found["products"])))
    Checkout.model_validate(checkout)
    assert checkout["status"] == "ready_for_complete", checkout
    path = f"/ucp/{VERSION}/checkout-sessions/{checkout['id']}/complete"
    completed = rest.ask("POST", path, {"payment": PAYMENT})
    Checkout.model_validate(completed)
    assert completed["status"] == "completed", completed
    Order.model_validate(rest.ask("GET", f"/ucp/{VERSION}/orders/{completed['order']['id']}"))
    print("PASS ucp-sdk reads the profile, a checkout that is open and one that is completed, and an order")


async def buy_with_tools(shop, revision, mode):
    """Finds something and buys it with `mcp`."""
    async with Client(f"{shop}/mcp", mode=mode) as client:

        async def call(tool, **arguments):
            meta = {"ucp-agent": {"profile": f"{shop}/mcp/assistant.json"}, "idempotency-key": str(uuid.uuid4())}
            result = await client.call_tool(tool, {"meta": meta, **arguments})
            assert not result.is_error, result
            return result.structured_content

        assert client.session.protocol_version == revision, client.session.protocol_version
        tools = (await client.list_tools()).tools
        found = await call("search_catalog", catalog={"query": "coffee"})
        checkout = await call("create_checkout", checkout=basket(available(found["products"])))
        bought = await call("complete_checkout", id=checkout["id"], checkout={"payment": PAYMENT})
        assert bought["status"] == "completed", bought
        order = await call("get_order", id=bought["order"]["id"])
        assert order["checkout_id"] == checkout["id"], order
    print(f"PASS mcp lists {len(tools)} tools and buys in {revision}")


def main():
    shop = sys.argv[1]
    read_with_the_models(shop)
    for revision, mode in REVISIONS.items():
        asyncio.run(buy_with_tools(shop, revision, mode))


if __name__ == "__main__":
    main()
