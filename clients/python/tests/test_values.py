"""Key files, encodings, heads and errors."""

import os
import tempfile
import unittest

from sealwire import keyfile, message
from sealwire.data import ABSENT, Unserializable, decode, encode
from sealwire.errors import BadContent, as_transport_error, transport_error
from sealwire.pattern import route


class KeyFiles(unittest.TestCase):
    def test_refused(self):
        good = bytes(range(100, 132))
        self.assertEqual(len(keyfile.check(good).psk), 32)
        for bad, why in (
            (good[:31], "31 bytes"), (good + b"x", "33 bytes"), (b"\0" * 32, "equal"), (b"ab cd\n\t" * 5, "35 bytes"),
            (b"0123456789abcdef" * 2, "text"), (bytes(range(16)) * 2, "distinct"),
            (bytes.fromhex("030a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dc"), "reference"),
        ):
            with self.assertRaises(keyfile.KeyRefused) as caught:
                keyfile.check(bad)
            self.assertIn(why, str(caught.exception))
        self.assertEqual(len(keyfile.check(bytes(range(17)) + bytes(range(15))).key_id), 8)

    def test_mode(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "key")
            with open(path, "wb") as file:
                file.write(bytes(range(100, 132)))
            for mode, good in ((0o600, True), (0o400, True), (0o640, False), (0o604, False)):
                os.chmod(path, mode)
                if good:
                    keyfile.load(path)
                else:
                    self.assertRaises(keyfile.KeyRefused, keyfile.load, path)
            self.assertNotIn("psk", repr(keyfile.check(bytes(range(100, 132)))))


class Data(unittest.TestCase):
    def test_there_and_back(self):
        long = "é" * 512
        for value, code in (
            ({"a": [1, None, True, 1.5, "x"]}, 0), (None, 0), ("short", 0), (b"raw", 1), (b"", 1), (ABSENT, 2),
            ({"n": 1, "t": long}, 3), ({"": long, "x": {}}, 3), (long, 4), ("\ufeff" + long, 4), ("\ud800" * 2000, 0),
            ({"__proto__": long}, 0), ({"t": "\ud800" + long}, 0), ([long], 0),
        ):
            data = encode(value)
            self.assertEqual((data[0], decode(data)), (code, value))
        self.assertEqual(encode("x" * 1023)[0], 0)
        self.assertEqual(encode("x" * 1024)[0], 4)
        self.assertEqual(list(decode(encode({"a": long, "b": 2}))), ["a", "b"])

    def test_small_texts_in_04_and_03(self):
        self.assertEqual(decode(b"\4"), "")
        self.assertEqual(decode(b"\4\xef\xbb\xbfx"), "\ufeffx")
        self.assertEqual(decode(b'\3\0\1k\0\0\0\x11{"k":1,"k":[2] } ' + b"!"), {"k": "!"})
        self.assertEqual(decode(b'\3\0\0\0\0\0\6{"":0}'), {"": ""})
        self.assertEqual(decode(b'\0{"a":1,"a":2}'), {"a": 2})
        self.assertEqual(decode(b'\0"\\ud800"'), "\ud800")

    def test_bad_content(self):
        for data in (
            b"", b"\0", b"\0{", b"\0NaN", b"\0-Infinity", b"\0\xef\xbb\xbf1", b"\0\"\xff\"", b"\0'a'", b"\0[1,]", b"\0\"\n\"",
            b"\x02x", b"\5", b"\xff", b"\4\xed\xa0\x80", b"\4\xc0\x80", b"\3", b"\3\0\1k\0\0\0\2{}", b"\3\0\1k\0\0\0\2[]",
            b"\3\0\1k\0\0\0\4null", b'\3\0\1k\0\0\1\0{"k":0}', b'\3\0\x09__proto__\0\0\0\x0f{"__proto__":0}',
            b'\3\0\1k\0\0\0\7{"k":0}\xff', b'\3\0\1\xff\0\0\0\7{"k":0}',
        ):
            with self.assertRaises(BadContent, msg=data):
                decode(data)
        with self.assertRaises(BadContent) as caught:
            decode(b"\0" + b"[" * 200_000 + b"]" * 200_000)
        self.assertEqual(caught.exception.code, "ERR_MESSAGE_TOO_COMPLEX")
        self.assertEqual(decode(b"\0" + b"9" * 5000), float("inf"))  # long, but well-formed

    def test_not_serializable(self):
        for value in (float("nan"), object(), {"a": b"x"}, [ABSENT]):
            self.assertRaises(Unserializable, encode, value)


class Messages(unittest.TestCase):
    def test_route(self):
        deep = {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}
        for pattern, wanted in (
            ("a", "a"), ('{"a"', '{"a"'), (5, "5"), (None, "null"), (True, "true"), ([7, "x"], '{"0":7,"1":"x"}'),
            ({"b": 1, "a": "x"}, '{"a":"x","b":1}'), ({"a": {"c": "d"}}, '{"a":{"c":"d"}}'),
            ({"aB": 1, "a_b": 2, "AB": 3, "B": 4, "a": 5, "10": 6, "9": 7}, '{"10":6,"9":7,"a":5,"a_b":2,"aB":1,"AB":3,"B":4}'),
            ({'q"': 'back\\slash "'}, '{"q\\"":"back\\\\slash \\""}'),
            (deep, '{"a":{"a":{"a":{"a":{"a":{"a":[MAX_DEPTH_REACHED]}}}}}}'),
            (dict.fromkeys("abcdefghijklmnopqrstu", 1), "[TOO_MANY_KEYS]"),
        ):
            self.assertEqual(route(pattern), wanted)
        for bad in ({"ä": 1}, b"a", float("inf"), float("nan")):
            self.assertRaises(ValueError, route, bad)

    def test_numbers(self):
        for value, wanted in ((0.1, "0.1"), (-0.0, "0"), (1e21, "1e+21"), (1e20, "1" + "0" * 20), (1.5e-7, "1.5e-7"),
                              (0.000001, "0.000001"), (2**53, "9007199254740992"), (-12.5, "-12.5"), (1e-7, "1e-7"),
                              (1.7976931348623157e308, "1.7976931348623157e+308"), (5e-324, "5e-324")):
            self.assertEqual(route(value), wanted)

    def test_heads(self):
        self.assertEqual(message.parse_head(message.request(5, "p", 1, {"m": 1}), 4), ("p", {"m": 1}, b"\x001"))
        for bad in (b"", b"\0" * 4, b"\0\0\0\0\0\5p", b"\0\0\0\0\0\1p\0\2[]\2", b"\0\0\0\0\0\1\xff\0\0\2", b"\0\0\0\0\0\1p\0\1{\2"):
            with self.assertRaises(BadContent):
                message.parse_head(bad, 4)

    def test_transport_errors(self):
        good = transport_error("ERR_OVERLOADED")
        self.assertEqual(as_transport_error(good), "ERR_OVERLOADED")
        self.assertEqual(as_transport_error({**good, "message": "other"}), "ERR_OVERLOADED")
        for bad in ({**good, "application": True}, {**good, "code": "ERR_X"}, {**good, "status": 1}, {**good, "message": 1},
                    {**good, "code": []}, [], "x", None):
            self.assertIsNone(as_transport_error(bad))


if __name__ == "__main__":
    unittest.main()
