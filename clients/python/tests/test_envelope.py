"""The reference values of docs/envelope.md, byte for byte."""

import json
import unittest
from pathlib import Path

from sealwire import envelope

VECTORS = json.loads((Path(__file__).parents[3] / "test/vectors/envelope-v1.json").read_text("utf-8"))
KEY = envelope.derive(bytes.fromhex(VECTORS["keyFile"]))
KEYS = {KEY.kid: KEY}


class TestEnvelope(unittest.TestCase):
    def test_derives_the_key(self) -> None:
        self.assertEqual((KEY.cek.hex(), KEY.kid), (VECTORS["cek"], VECTORS["keyId"]))
        self.assertEqual(VECTORS["jwk"]["k"], envelope.b64(KEY.cek))

    def test_seals_the_reference_envelopes(self) -> None:
        for case in VECTORS["envelopes"]:
            with self.subTest(case["name"]):
                iv, plain = bytes.fromhex(case["iv"]), bytes.fromhex(case["plaintext"])
                text = case["header"].encode()
                self.assertEqual(envelope.seal_text(KEY, text, iv, envelope.pad(plain)), case["envelope"])
                if case["written"]:
                    header = json.loads(text)
                    members = (header["aud"], header["sub"], header["iat"], header["jti"])
                    self.assertEqual(envelope.header_text(KEY, *members), text)

    def test_opens_the_reference_envelopes(self) -> None:
        for case in VECTORS["envelopes"]:
            with self.subTest(case["name"]):
                header, plain = envelope.open_envelope(KEYS, case["envelope"])
                self.assertEqual((header["sub"], plain.hex()), (case["subject"], case["plaintext"]))

    def test_refuses_what_the_list_says(self) -> None:
        for case in VECTORS["refused"]:
            if case["reason"] not in ("form", "key", "tag"):
                continue
            with self.subTest(case["name"]), self.assertRaises(envelope.Refused) as caught:
                envelope.open_envelope(KEYS, case["envelope"])
            self.assertEqual(str(caught.exception), case["reason"])


if __name__ == "__main__":
    unittest.main()
