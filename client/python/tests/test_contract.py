"""client/contract/cases.json, through every way to ask."""

import json
import pathlib

import pytest

import statwit

CASES = json.loads((pathlib.Path(__file__).parents[2] / "contract" / "cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case, metrics, send):
    if case.get("drop"):
        faults = {"dogstatsd": [{"drop": 1, "session": metrics.name}]}
        metrics.recorder._call("PUT", "/recorder/v1/faults", faults)
    send(metrics, *case["send"])
    if case["outcome"] == "error":
        with pytest.raises(statwit.Malformed) as shown:
            metrics.expect(*case["expect"])
        text = str(shown.value)
    else:
        report = metrics.ask(*case["expect"])
        assert report.verdict == case["outcome"], report.text
        if report.verdict == "inconclusive":
            with pytest.raises(AssertionError, match="inconclusive"):
                bool(report)
        else:
            assert bool(report) == (case["outcome"] == "pass")
        text = report.text
        if report.verdict == "pass":
            metrics.expect(*case["expect"])
        else:
            with pytest.raises(AssertionError) as shown:
                metrics.expect(*case["expect"])
            assert text in str(shown.value)
    for part in case.get("says", []):
        assert part in text
