"""Asks a server about a recording and compares its answers with the oracle's."""

import random
from dataclasses import dataclass

from claims import BEGINNING, Claims, question_of
from exact import Number
from judge import judge
from language import parse
from recording import random_recording
from wire import Server


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

    def key(self):
        return self.session, self.mark, self.prefix, self.ignored


def play(recording, server):
    server.open_sessions(recording.sessions)
    server.play(recording.steps)


def ask(server, pairs):
    """Sets the answers of pairs that have one key(); a refusal is an answer to each of them."""
    session, mark, prefix, ignored = pairs[0].key()
    status, answer = server.expect([p.text for p in pairs], session, mark, prefix, ignored)
    if status != 200 and len(pairs) > 1:
        for pair in pairs:
            ask(server, [pair])
        return
    if status != 200:
        answer = {"losses": [], "results": [{"verdict": f"refused ({status})", "observed": None, "why": answer, "clauses": []}]}
    for pair, result in zip(pairs, answer["results"]):
        pair.answer = result
        if answer["losses"]:
            pair.complaints += (f"losses: {answer['losses']}",)


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
    if verdict.word and answer["verdict"] != verdict.word:
        out.append(f"verdict {answer['verdict']}, the oracle says {verdict.word}")
    elif answer["verdict"] not in ("pass", "fail"):
        out.append(f"verdict {answer['verdict']}, without a loss")
    for (holds, expected), clause in zip(verdict.clauses, answer["clauses"]):
        wrong = number_complaint(expected, clause["observed"])
        if wrong:
            out.append(f"{clause['clause']}: observed {clause['observed']!r}, {wrong}")
        if holds in (True, False) and clause["holds"] != holds:
            out.append(f"{clause['clause']}: holds {clause['holds']}, the oracle says {holds}")
    return tuple(out)


def compare(pair, question, without):
    pair.verdict = judge(parse(pair.text), question)
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
            some = [Pair(claims.expectation(question), session, mark, question.prefix, question.ignored) for _ in range(15)]
            ask(server, some)
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
        pair.complaints += (f"asked with others: {before['verdict']} {before['clauses']}; alone: {pair.answer['clauses']}",)


def judge_again(recording, pair, without):
    """The same pair over another (smaller) recording; its complaints."""
    marks = list(recording.marks())
    if pair.mark not in (None, BEGINNING, *marks):
        return ()
    again = Pair(pair.text, pair.session, pair.mark, pair.prefix, pair.ignored)
    with Server(recording.memory) as server:
        play(recording, server)
        if pair.mark in marks:
            again.mark = marks.index(pair.mark)
        ask(server, [again])
    again.mark = pair.mark
    compare(again, question_of(recording, pair.session, pair.mark, pair.prefix, pair.ignored), without)
    pair.answer, pair.verdict = (again.answer, again.verdict) if again.complaints else (pair.answer, pair.verdict)
    return again.complaints
