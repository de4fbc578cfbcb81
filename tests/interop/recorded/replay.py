"""Makes each conversation of fixtures/datadog/answers.json with a statwit server of its own, and compares the answers with
what Datadog was recorded to answer: status, content type and shape. fixtures/README.md says how they are written.

The file unmet lists the answers that are known to differ, as "conversation: request". Its lines that are no longer true are
told, so that they can be removed.
"""

import json
import os
import re
import sys
import time
import zlib

from recorder import Recorder

TABLE = os.path.join(os.path.dirname(__file__), "../../../fixtures/datadog/answers.json")
KINDS = {
    "<any>": lambda got: True,
    "<whole>": lambda got: isinstance(got, int) and not isinstance(got, bool),
    "<number>": lambda got: isinstance(got, (int, float)) and not isinstance(got, bool),
    "<text>": lambda got: isinstance(got, str),
    "<text or null>": lambda got: got is None or isinstance(got, str),
    "<time>": lambda got: isinstance(got, str) and re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$", got),
    "<list>": lambda got: isinstance(got, list),
    "<list or null>": lambda got: got is None or isinstance(got, list),
    "<object>": lambda got: isinstance(got, dict),
}
ONLY = "<only>"  # {"<only>": true, …}: no other members; else there may be more
PLACE = re.compile(r"\{(\w+)([+-]\d+)?\}")


def fill(value, known):
    """The value with {now-60}, {now_ms} and what earlier answers were asked for. Alone in a text, a number stays one."""
    if isinstance(value, dict):
        return {fill(key, known): fill(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, known) for item in value]
    if not isinstance(value, str):
        return value

    def found(match):
        if match[1] not in known:
            return match[0]  # the {host} of a query
        return known[match[1]] + int(match[2] or 0) if isinstance(known[match[1]], int) else known[match[1]]

    alone = PLACE.fullmatch(value)
    return found(alone) if alone else PLACE.sub(lambda match: str(found(match)), value)


def differences(wanted, got, at="answer"):
    """What keeps `got` from being of the wanted shape, a line each."""
    if isinstance(wanted, str) and wanted in KINDS:
        return [] if KINDS[wanted](got) else [f"{at} is {json.dumps(got)}, not {wanted}"]
    if isinstance(wanted, dict) and isinstance(got, dict):
        lines = [f"{at} has no member {key}" for key in wanted if key not in got and key != ONLY]
        if ONLY in wanted:
            lines += [f"{at} has a member {key}: {json.dumps(got[key])}" for key in got if key not in wanted]
        return lines + [line for key in wanted if key in got for line in differences(wanted[key], got[key], f"{at}.{key}")]
    if isinstance(wanted, list) and isinstance(got, list):
        if all(isinstance(item, str) and item not in KINDS for item in wanted) and all(isinstance(item, str) for item in got):
            wanted, got = sorted(wanted), sorted(got)  # tags and names, whose order says nothing
        elif len(wanted) == len(got):
            return [line for i, (a, b) in enumerate(zip(wanted, got)) for line in differences(a, b, f"{at}[{i}]")]
    same = wanted == got and isinstance(wanted, bool) == isinstance(got, bool)
    return [] if same else [f"{at} is {json.dumps(got)}, not {json.dumps(wanted)}"]


def send(recorder, step, known, key):
    """(status, content type, parsed body or its text)"""
    method, path = fill(step["send"], known).split(" ", 1)
    body = json.dumps(fill(step["body"], known)).encode() if "body" in step else None
    headers = {"DD-API-KEY": None} if step.get("no_key") else {"DD-API-KEY": key, "DD-APPLICATION-KEY": "f" * 40}
    if body is not None:
        headers["Content-Type"] = step.get("content_type", "application/json")
    if step.get("encoding") == "deflate":
        headers["Content-Encoding"], body = "deflate", zlib.compress(body)
    status, answered, text = recorder.raw(method, path, body, headers)
    try:
        parsed = json.loads(text) if text else None
    except ValueError:
        parsed = text.decode(errors="replace")
    return status, (answered.get("Content-Type") or "").split(";")[0], parsed


def keep(answer, names, known):
    """Notes what later steps need: {"id": "event.id_str"}."""
    for name, path in names.items():
        value = answer
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        known[name] = value if value is not None else "nothing"


def try_step(recorder, step, known, key):
    """What is wrong with the answer."""
    status, kind, answer = send(recorder, step, known, key)
    keep(answer, step.get("save", {}), known)
    if status != step["status"]:
        return [f"status {status}, not {step['status']}: {json.dumps(answer)[:300]}"]
    if status == 204:
        return []
    lines = differences(fill(step["answer"], known), answer)
    return lines + ([f"content type {kind}, not {step['type']}"] if kind != step["type"] else [])


def converse(talk, report):
    flags = ["--api-key", talk["known_key"]] if "known_key" in talk else []
    with Recorder(*flags) as recorder:
        now = int(time.time())
        known = {"now": now, "now_ms": now * 1000}
        for step in talk["steps"]:
            report(talk, step, try_step(recorder, step, known, "e" * 32))


def main():
    with open(TABLE) as file:
        talks = json.load(file)
    with open(os.path.join(os.path.dirname(__file__), "unmet")) as file:
        unmet = {line.strip() for line in file if line.strip() and not line.startswith("#")}
    right, wrong = [], {}

    def report(talk, step, lines):
        name = f"{talk['name']}: {step['send']}"
        if lines:
            wrong.setdefault(name, []).extend(lines)
        else:
            right.append(name)

    for talk in talks:
        converse(talk, report)
    for name, lines in sorted(wrong.items(), key=lambda item: item[0] not in unmet):
        print(f"{'known' if name in unmet else 'WRONG'} {name}")
        for line in lines:
            print(f"    {line}")
    for name in sorted(unmet - wrong.keys()):
        print(f"note: answered as recorded: {name}. Remove its line from tests/interop/recorded/unmet")
    with open("compared", "w") as compared:
        compared.writelines(f"{name}\n" for name in right)
    print(f"{len(right)} answers as recorded, {len(wrong.keys() & unmet)} known to differ, {len(wrong.keys() - unmet)} wrong")
    sys.exit(bool(wrong.keys() - unmet))


main()
