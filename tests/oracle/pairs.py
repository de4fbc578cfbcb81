"""Asks a server about a recording and compares its answers with the oracle's."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from claims import BEGINNING, FUTURE, OF, Claims, question_of
from exact import Number
from judge import Verdict, judge
from language import Malformed, parse
from recording import random_recording
from wire import Server


TOGETHER = 15  # expectations in a request


@dataclass
class Pair:
    """One expectation and one recording."""
    text: str
    session: int
    mark: int | None
    prefix: str
    ignored: tuple
    verdict: object = None   # the oracle's
    answer: dict | None = None  # the server's result
    complaints: tuple = ()
    left_out: bool = False   # touches a point of --without
    doubted: bool = False    # the server says that a client may have dropped something
    as_file: bool = False    # prefix and ignore-tags stand as lines before it, not in the request

    def key(self):
        return self.session, self.mark, self.prefix, self.ignored, self.as_file

    def sent(self):
        if not self.as_file:
            return self.text
        return (f"prefix {self.prefix}\n" if self.prefix else "") + \
            (f"ignore-tags {','.join(self.ignored)}\n" if self.ignored else "") + self.text


def play(recording, server):
    server.open_sessions(recording.sessions)
    server.play(recording.steps)


def ask(server, pairs):
    """Sets the answers of pairs that have one key(); a refusal is an answer to each of them."""
    session, mark, prefix, ignored, as_file = pairs[0].key()
    settings = () if as_file else (prefix, ignored)
    status, answer = server.expect([p.sent() for p in pairs], session, mark, *settings)
    if status != 200 and len(pairs) > 1:
        for pair in pairs:
            ask(server, [pair])
        return
    if status != 200 or not answer["results"]:
        words = f"refused ({status})" if status != 200 else "nothing asked"
        answer = {"losses": [], "results": [{"verdict": words, "observed": None, "why": answer, "clauses": []}]}
    for pair, result in zip(pairs, answer["results"]):
        pair.answer = result
        pair.doubted = "unixgram_full" in repr(answer)  # a machine so busy that a short queue was found full
        if answer["losses"] and not pair.doubted:
            pair.complaints += (f"losses: {answer['losses']}",)


def unclear(expectation):
    """Stats that may not be asked of texts: the man page names those that may, in passing."""
    allowed = OF.get(expectation.type)
    return bool(allowed) and any(c.stat not in allowed for c in expectation.clauses)


def number_complaint(expected, observed):
    if isinstance(expected, Number):
        if observed is None:
            return f"expected {float(expected.exact)!r}"
        if not expected.near(observed):
            return f"expected {float(expected.exact)!r}"
        if expected.bits and observed not in expected.bits:
            return f"not added sample by sample: expected {expected.bits}"
    elif isinstance(expected, (set, str)) and observed not in (expected if isinstance(expected, set) else {expected}):
        return f"expected {expected!r}"
    return None


def complaints(pair):
    """In which points the answer is not what the oracle says."""
    out, answer, verdict = [], pair.answer, pair.verdict
    if pair.doubted and answer["verdict"] == "inconclusive":
        pair.verdict = Verdict(None, touches=verdict.touches)
        return ()
    if verdict.word and answer["verdict"] != verdict.word:
        out.append(f"verdict {answer['verdict']}, the oracle says {verdict.word}")
    elif answer["verdict"] == "inconclusive":
        out.append(f"verdict {answer['verdict']}, without a loss")
    for (holds, expected), clause in zip(verdict.clauses, answer["clauses"]):
        wrong = number_complaint(expected, clause["observed"])
        if wrong:
            out.append(f"{clause['clause']}: observed {clause['observed']!r}, {wrong}")
        if holds in (True, False) and clause["holds"] != holds:
            out.append(f"{clause['clause']}: holds {clause['holds']}, the oracle says {holds}")
    return tuple(out)


def compare(pair, question, without):
    try:
        expectation = parse(pair.text)
        pair.verdict = judge(expectation, question)
        if unclear(expectation):
            pair.verdict = Verdict(None, touches=pair.verdict.touches)
        if pair.mark == FUTURE:
            raise Malformed("a mark that does not exist")
    except Malformed:
        pair.verdict = Verdict("refused (400)", touches=set(question.touches))
    pair.complaints += complaints(pair)
    pair.left_out = bool(pair.verdict.touches & without)


def pairs_of(seed, number, per_recording, without):
    """(recording, pairs) of one recording of the seed."""
    rng = random.Random(f"{seed}/{number}")
    recording = random_recording(rng)
    claims = Claims(rng, recording)
    pairs = []
    with Server(recording.memory) as server:
        play(recording, server)
        while len(pairs) < per_recording:
            session, mark, question = claims.question()
            settings = dict(session=session, mark=mark, prefix=question.prefix, ignored=question.ignored,
                            as_file=rng.random() < 0.3)
            some = [Pair(claims.expectation(question), **settings) for _ in range(TOGETHER)]
            ask(server, some)
            if rng.random() < 0.4:
                some += [replace(some[0], text=claims.damaged(some[0].text), complaints=())]
                ask(server, some[-1:])
            if rng.random() < 0.1:
                some += [replace(some[0], mark=FUTURE, complaints=())]
                ask(server, some[-1:])
            for pair in some:
                compare(pair, question, without)
            if "numbers" not in without:
                ask_again(server, rng.choice(some))
            pairs += some
    return recording, pairs


def ask_again(server, pair):
    """A claim has one number, whatever is asked beside it."""
    before = pair.answer
    ask(server, [pair])
    if pair.answer["clauses"] != before["clauses"] or pair.answer["verdict"] != before["verdict"]:
        told = f"asked with others: {before['verdict']} {before['clauses']}; alone: {pair.answer['clauses']}"
        pair.complaints += (told,)


def judge_again(recording, pair, without):
    """The same pair over another (smaller) recording; its complaints."""
    marks = list(recording.marks())
    if pair.mark not in (None, BEGINNING, FUTURE, *marks):
        return ()
    again = replace(pair, complaints=())
    with Server(recording.memory) as server:
        play(recording, server)
        if pair.mark in marks:
            again.mark = marks.index(pair.mark)
        ask(server, [again])
    again.mark = pair.mark
    compare(again, question_of(recording, pair.session, pair.mark, pair.prefix, pair.ignored), without)
    pair.answer, pair.verdict = (again.answer, again.verdict) if again.complaints else (pair.answer, pair.verdict)
    return again.complaints
