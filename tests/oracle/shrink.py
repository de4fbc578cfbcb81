"""Makes a disagreement small: leaves out what it does not need, and writes down how to see it."""

import time
from dataclasses import replace

from exact import Number
from pairs import judge_again


def without_step(recording, i):
    return replace(recording, steps=recording.steps[:i] + recording.steps[i + 1:])


def without_item(recording, i, j):
    step = recording.steps[i]
    smaller = replace(step, items=step.items[:j] + step.items[j + 1:])
    return replace(recording, steps=recording.steps[:i] + [smaller] + recording.steps[i + 1:])


def smaller_ones(recording):
    """Recordings with one thing less, large things first."""
    for i in reversed(range(len(recording.steps))):
        yield without_step(recording, i)
    for i, step in enumerate(recording.steps):
        if len(step.items) > 1:
            for j in range(len(step.items)):
                yield without_item(recording, i, j)


def shrink(recording, pair, without, seconds=30):
    """The smallest recording found in that time for which the answer is still wrong, and what is wrong with it."""
    end, wrong = time.monotonic() + seconds, pair.complaints
    found = next(filter(None, (judge_again(recording, pair, without) for _ in range(5))), ())
    if not found:
        return recording, wrong + ("(but not when asked alone, of the recording sent again)",)
    wrong, progress = found, True
    while progress and time.monotonic() < end:
        progress = False
        for smaller in smaller_ones(recording):
            found = judge_again(smaller, pair, without)
            if found:
                recording, wrong, progress = smaller, found, True
                break
            if time.monotonic() > end:
                break
    return recording, wrong


def shown(value):
    return repr(float(value.exact)) if isinstance(value, Number) else repr(value)


def report(recording, pair, wrong, seed, number):
    """The reproduction as text."""
    lines = [f"seed {seed}, recording {number}" + (", :memory:" if recording.memory else ", a file")]
    for step in recording.steps:
        if step.way == "mark":
            lines.append(f"mark {step.session}")
            continue
        lines.append(f"session {step.session}, {step.way}{' ' + step.coding if step.coding else ''}"
                     f"{' (a question before it)' if step.wait else ''}:")
        lines += [f"    {item.sent!r}" for item in step.items]
    about = f"session {'*' if pair.session is None else pair.session}"
    about += f", since mark {pair.mark}" if pair.mark is not None else ""
    about += f", prefix {pair.prefix!r}" if pair.prefix else ""
    about += f", ignore-tags {','.join(pair.ignored)}" if pair.ignored else ""
    lines += [f"expect ({about}):", f"    {pair.text}",
              f"statwit: {pair.answer['verdict']}; observed {pair.answer['observed']}; {pair.answer['why']}",
              f"oracle:  {pair.verdict.word or 'undecided'}; observed " + ", ".join(shown(e) for _, e in pair.verdict.clauses)]
    return "\n".join(lines + [f"    {w}" for w in wrong]) + "\n"
