"""client/contract/cases.json, through every way to ask."""

import asyncio
import json
import os
import pathlib
import unittest

import pytest

import statwit
import statwit.unittest

CONTRACT = pathlib.Path(__file__).parents[2] / "contract"
CASES = json.loads((CONTRACT / "cases.json").read_text())
WAYS = json.loads((CONTRACT / "ways.json").read_text())


def by_name(cases):
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


def arrange(case, metrics, send):
    if case.get("drop"):
        metrics.recorder._call("PUT", "/recorder/v1/faults", {"dogstatsd": [{"drop": 1, "session": metrics.name}]})
    send(metrics, *case["send"])


@by_name([case for case in CASES if "way" not in case])
def test_case(case, metrics, send):
    arrange(case, metrics, send)
    if case["outcome"] == "error":
        with pytest.raises(statwit.Malformed) as shown:
            metrics.expect(*case["expect"])
        text = str(shown.value)
    else:
        report = metrics.ask(*case["expect"])
        assert report.verdict == case["outcome"], report.text
        if report.verdict == "inconclusive":
            with pytest.raises(statwit.Inconclusive, match="inconclusive"):
                bool(report)
        else:
            assert bool(report) == (case["outcome"] == "pass")
        text = report.text
        if report.verdict == "pass":
            metrics.expect(*case["expect"])
        else:
            with pytest.raises(statwit.Inconclusive if report.verdict == "inconclusive" else AssertionError) as shown:
                metrics.expect(*case["expect"])
            assert text in str(shown.value)
    for part in case.get("says", []):
        assert part in text


# What a test writes in each way of ways.json: tests of their own, of which each must fail.
PYTEST = {
    "claim": ["metrics.expect(*EXPECT)"],
    "wait": ["metrics.expect(*EXPECT, within=0.01)"],
    "async": ["import asyncio; asyncio.run(metrics.expect_soon(*EXPECT, within=0.01))"],
    "report": ["assert metrics.ask(*EXPECT)"],
    "negated report": ["assert not metrics.ask(*EXPECT)"],
    "alternative": ["assert metrics.ask(*EXPECT) or True"],
    "in": ["'x' in metrics", "'x' not in metrics"],
    "caught failure": ["with pytest.raises(AssertionError): metrics.expect(*EXPECT)",
                       "with pytest.raises(AssertionError): assert metrics.ask(*EXPECT)"],
    "behind the test": ["request.applymarker(pytest.mark.statwit(*EXPECT))"],
    "catalog": ["assert metrics.verify('catalog.json')", "request.config.option.statwit_catalog.append('catalog.json')"],
    "lint": ["assert metrics.lint()"],
}


def ways_of(framework):
    return {way for way, written in WAYS.items() if not written[framework].startswith("none: ")}


@pytest.mark.parametrize("framework", ["pytest", "unittest"])
def test_every_way_of_the_table_is_tried(framework):
    tried = set(PYTEST) if framework == "pytest" else {name.replace("_", " ") for name in vars(Unittest) if name[0] != "_"}
    assert tried == ways_of(framework)
    assert tried <= {case.get("way") for case in CASES}


@by_name([case for case in CASES if case.get("way") in PYTEST])
def test_way(case, pytester):
    tests = """
import json, pytest, socket
CASE = json.load(open("case.json"))
EXPECT = CASE["expect"]

def arrange(metrics):
    metrics.recorder._call("PUT", "/recorder/v1/faults", {"dogstatsd": [{"drop": 1, "session": metrics.name}]})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for line in CASE["send"]:
            udp.sendto(line.encode(), (metrics.host, metrics.port))
"""
    ways = PYTEST[case["way"]]
    for n, way in enumerate(ways):
        tests += "\ndef test_%d(metrics, request):\n    arrange(metrics)\n    %s\n" % (n, way)
    pytester.makepyfile(test_it=tests)
    (pytester.path / "case.json").write_text(json.dumps(case))
    (pytester.path / "catalog.json").write_text(json.dumps(case.get("catalog")))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(failed=len(ways))
    for part in case["says"]:
        assert part in result.stdout.str()


class Unittest:
    """One test in each way; `case` and `catalog` are set by whoever runs it."""

    def claim(self):
        self.metrics.expect(*self.case["expect"])

    def wait(self):
        self.metrics.expect(*self.case["expect"], within=0.01)

    def report(self):
        self.assertTrue(self.metrics.ask(*self.case["expect"]))

    def negated_report(self):
        self.assertFalse(self.metrics.ask(*self.case["expect"]))

    def alternative(self):
        self.assertTrue(self.metrics.ask(*self.case["expect"]) or True)

    def caught_failure(self):
        with self.assertRaises(AssertionError):
            self.metrics.expect(*self.case["expect"])

    def catalog(self):
        self.assertTrue(self.metrics.verify(self.file))

    def lint(self):
        self.assertTrue(self.metrics.lint())


setattr(Unittest, "async", lambda self: asyncio.run(self.metrics.expect_soon(*self.case["expect"], within=0.01)))
setattr(Unittest, "in", lambda self: self.assertNotIn("x", self.metrics))


@by_name([case for case in CASES if case.get("way") in ways_of("unittest")])
def test_way_of_unittest(case, send, monkeypatch, statwit_recorder, tmp_path):
    monkeypatch.setenv("STATWIT_URL", statwit_recorder.url)
    (tmp_path / "catalog.json").write_text(json.dumps(case.get("catalog")))

    class Tests(statwit.unittest.MetricsTest, Unittest, unittest.TestCase):
        def setUp(self):
            super().setUp()
            self.case, self.file = case, os.fspath(tmp_path / "catalog.json")
            arrange(case, self.metrics, send)

    result = unittest.TestResult()
    Tests(case["way"].replace(" ", "_")).run(result)
    said = result.failures + result.errors
    assert len(said) == 1, "the test passed"
    for part in case["says"]:
        assert part in said[0][1]
