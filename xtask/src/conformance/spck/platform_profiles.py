"""The profiles by which the kit's program introduces itself, served on this machine."""

import http.server
import json
import threading

SHOPPING = "dev.ucp.shopping."
CHECKOUT, CART, ORDER = SHOPPING + "checkout", SHOPPING + "cart", SHOPPING + "order"
# What each capability of the shop extends.
EXTENDS = {
    CHECKOUT: [],
    CART: [],
    SHOPPING + "catalog.search": [],
    SHOPPING + "catalog.lookup": [],
    ORDER: [],
    SHOPPING + "discount": [CHECKOUT, CART],
    SHOPPING + "fulfillment": [CHECKOUT],
    SHOPPING + "buyer_consent": [CHECKOUT, CART],
}
ALL = list(EXTENDS)
# An algorithm that the shop does not know how to check. The point is of no use to anybody.
OTHER_KEY = {"kid": "other", "kty": "EC", "crv": "P-384", "x": "A" * 64, "y": "A" * 64}


class Profiles:
    """A server that is open while it is entered. `keys` are the kit's functions for keys."""

    def __init__(self, version, keys):
        self.version = version
        private, public = keys.keypair(b"conformance")
        self.private = {"kid": "conformance", "d": keys.b64url(private.to_bytes(32, "big"))}
        published = [keys.jwk_from_pub("conformance", public), OTHER_KEY]
        own = profile(version)
        self.documents = {
            "/agent": own,
            "/signed": own | {"keys": published, "signing_keys": published},
            "/old": profile("2020-01-01"),
            "/stranger": profile(version, names=[]),
            "/malformed": ["not a profile"],
        }
        handler = type("Handler", (_Handler,), {"documents": self.documents})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def url(self, name):
        return f"http://127.0.0.1:{self.server.server_port}/{name}"

    def template(self):
        """A profile with `{webhook_port}` where the kit writes the port of its receiver."""
        return json.dumps(profile(self.version, webhook_url="http://127.0.0.1:{webhook_port}/webhooks/orders"))

    def config(self):
        """What the kit must be told of these profiles."""
        return {
            "negotiation": {
                "harness": True,
                "validates_profile_url": True,
                "unsupported_version_profile_url": self.url("old"),
                "incompatible_caps_profile_url": self.url("stranger"),
                "unreachable_profile_url": self.url("nothing"),
                "malformed_profile_url": self.url("malformed"),
            },
            "discovery": {"supported_versions": True},
            "signature": {
                "responses": True,
                "request_private_jwk": self.private,
                "rotated_private_jwk": self.private,
                "platform_profile_url": self.url("signed"),
                "unsupported_alg_kid": OTHER_KEY["kid"],
            },
            "webhooks": {"simulate": True, "signed": True, "retries": True, "wait_seconds": 12},
        }


class _Handler(http.server.BaseHTTPRequestHandler):
    documents = {}

    def do_GET(self):
        document = self.documents.get(self.path)
        body = json.dumps(document).encode()
        self.send_response(404 if document is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def profile(version, names=ALL, webhook_url=None):
    """The profile of a program that has these capabilities."""
    capabilities = {name: [capability(version, name)] for name in names}
    if webhook_url:
        capabilities[ORDER][0]["config"] = {"webhook_url": webhook_url}
    return {"ucp": {"version": version, "services": {}, "payment_handlers": {}, "capabilities": capabilities}}


def capability(version, name):
    schema = name.removeprefix(SHOPPING).replace(".", "_")
    entry = {
        "version": version,
        "spec": f"https://ucp.dev/{version}/specification/",
        "schema": f"https://ucp.dev/{version}/schemas/shopping/{schema}.json",
    }
    if parents := EXTENDS[name]:
        # The oldest version knows one parent, by its name alone.
        entry["extends"] = parents[0] if version == "2026-01-23" else parents
    return entry
