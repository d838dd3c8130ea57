"""Starts spck-conformance against a shop on this machine, and prints its report as JSON.

The kit is written for a shop on the Web that knows its program, and is used as it is: what it lacks here is set from
outside, in the one function by which it sends requests. Its own program is on the Web, so ours takes its place. It
sends half an address, and completes checkouts that say nothing of where they go; a shop that sends goods wants to know.
"""

import argparse
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import uuid

import spck_conformance

import goods
from platform_profiles import ALL, Profiles

CHECKS = pathlib.Path(spck_conformance.__file__).parent / "_bundle/conformance/checks"
KIT_AGENT = "https://spck.dev/agent"
NEWEST = "2026-08-25"
WELL_KNOWN = "/.well-known/ucp"
# What the kit's address lacks.
ADDRESS = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "street_address": "12 St James Place",
    "address_locality": "New York",
    "address_region": "NY",
    "postal_code": "10038",
}


class Platform:
    """The program that shops: what every request of the kit passes."""

    def __init__(self, shop, version, profiles):
        self.shop, self.version, self.profiles = shop, version, profiles

    def fetch(self, base, path, method="GET", body=None, headers=None):
        """Takes the place of the kit's `engine.fetch`."""
        if path == WELL_KNOWN:
            path = well_known(self.version)
        if path.startswith("/testing/"):
            return self.simulate(base, path, headers)
        headers = {name: self.named(value) for name, value in (headers or {}).items()}
        body = body and json.loads(self.named(json.dumps(body)))
        if path.endswith("/complete"):
            self.make_ready(base, path.removesuffix("/complete"), headers)
        return self.send(base, path, method, body, headers)

    def named(self, text):
        return text.replace(KIT_AGENT, self.profiles.url("agent"))

    def make_ready(self, base, path, headers):
        """Says where the goods go, where the kit did not."""
        headers = headers | {"idempotency-key": str(uuid.uuid4())}
        checkout = self.send(base, path, "GET", None, headers).json or {}
        if checkout.get("status") != "incomplete":
            return
        lines = [
            {"id": line["id"], "item": {"id": line["item"]["id"]}, "quantity": line["quantity"]}
            for line in checkout["line_items"]
        ]
        body = {
            "line_items": lines,
            "buyer": {"email": "ada@example.com"},
            "discounts": {"codes": checkout.get("discounts", {}).get("codes", [])},
            "fulfillment": self.shapes.fulfillment_block(None, "standard", [line["id"] for line in lines]),
        }
        if self.shapes.update_carries_id:
            body["id"] = checkout["id"]
        self.send(base, path, "PUT", body, headers)

    def simulate(self, base, path, headers):
        """What the kit's own shop does at an address for tests, done by the staff of this one."""
        order, action = path.removeprefix("/testing/orders/").split("/")
        steps = {"adjust": {"cancel": {"reason": "conformance"}}, "fulfill": {"pack": {}, "ship": {}}}
        for step, body in steps[action].items():
            self.shop.staff("POST", f"/orders/{order}/{step}", body)
        headers = {"UCP-Agent": headers["UCP-Agent"]}
        return self.fetch(base, f"/orders/{order}", "GET", None, headers)


def well_known(version):
    return WELL_KNOWN if version == NEWEST else f"{WELL_KNOWN}/{version}"


def prepare(shop, version, platform):
    """Replaces the kit's ways to the shop, and returns its main function."""
    import engine

    platform.send = engine.fetch
    # Before the checks are loaded, which keep it by its name.
    engine.fetch = platform.fetch
    import merchant
    import merchant_checks
    import merchant_checks_04_08_discovery as discovery
    import merchant_checks_04_08_envelope as envelope
    import merchant_checks_04_08_events as events
    import merchant_checks_04_08_signatures as signatures
    import webhook_harness
    import wire_shapes

    merchant._wellknown_url = discovery._profile_url = lambda _: shop.url + well_known(version)
    partial = wire_shapes.Shapes.destinations
    wire_shapes.Shapes.destinations = lambda shapes, ctx: [given | ADDRESS for given in partial(shapes, ctx)]
    platform.shapes = wire_shapes.shapes_for(version)
    # The wheel lacks the file that the kit reads here.
    webhook_harness._profile_template = platform.profiles.template
    profile = webhook_harness.platform_profile_0408
    webhook_harness.platform_profile_0408 = lambda url, capabilities=None: profile(url, version, capabilities or ALL)
    instead = {
        # This shop signs the answer to completing a checkout, and not the one to making it.
        signatures.signed_create_resp: merchant_checks.complete_resp,
        events.signed_create_resp: merchant_checks.complete_resp,
        # The profile of an old version is a leaf itself.
        envelope.f_leaf_profile: discovery.f_profile_get,
    }
    for check in merchant_checks.all_checks():
        check.fetch_fn = instead.get(check.fetch_fn, check.fetch_fn)
    return merchant.main


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--shop", required=True, help="where it is, such as http://127.0.0.1:8080")
    arguments.add_argument("--key", required=True, help="an API key that may do everything")
    arguments.add_argument("--version", required=True, help="the version of the protocol")
    arguments = arguments.parse_args()
    sys.path[:0] = [str(CHECKS), str(CHECKS.parent)]
    from common import crypto

    shop = goods.Shop(arguments.shop, arguments.key)
    with Profiles(arguments.version, crypto) as profiles, tempfile.NamedTemporaryFile("w") as config:
        run = prepare(shop, arguments.version, Platform(shop, arguments.version, profiles))
        json.dump(goods.config(shop) | profiles.config(), config)
        config.flush()
        sys.argv = ["spck-conformance", "--server", shop.url, "--config", config.name, "--json"]
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            run()
    print(said.getvalue())


if __name__ == "__main__":
    main()
