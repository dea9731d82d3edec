"""The words that the pages use, in a line each."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "adapter": "A short function that passes a question on to the implementation: all that stands "
    "between it and this suite.",
    "property": "A statement that is asked of every implementation, such as “the loss is the "
    "formula”.",
    "must, should, behaviour": "The level of a property: the mathematics, or what every sane "
    "caller relies on; good practice that some refuse; a choice point, recorded without a verdict.",
    "cell": "One property of one implementation, in one dtype on one device.",
    "case": "One question: logits, target, options. A counterexample is a case that fails.",
    "regime": "A kind of case: typical logits, ties, a large gap, many rows. A property names "
    "those in which it has to be asked.",
    "corpus": "The cases that are shared: the same, bit for bit, for all implementations. One that "
    "an implementation cannot be asked as it stands is changed to what it offers, and not "
    "compared with the others.",
    "searched": "Further cases, which Hypothesis looks for; each implementation has its own.",
    "floor": "How many cases a pass takes at least, in every regime; with fewer the cell is "
    "not-run.",
    "bound": "How far from the exact answer a right one may be, element by element, from rounding "
    "analysis. An error of 0.3 of the bound is right, one of 2 times the bound is wrong.",
    "ulp": "A unit in the last place of the dtype, at the exact answer.",
    "spoiled answers": "The power test: answers are falsified on purpose, and the comparison has "
    "to reject them.",
    "vacuous": "It did not reject them: a fault of the suite, never a pass.",
    "known": "A failure that was recorded beforehand, with a region of inputs, a way of failing "
    "and a reason. It counts as judged, and not as passed.",
    "stale": "Recorded as a failure, and it passes: somebody mended it, the record has to go.",
    "score, coverage": "Passed, of what was judged; judged, of what is a question at all in that "
    "dtype and on that device. Behaviours are in neither.",
    "cotangent": "What the gradient of a loss is multiplied with from the left, one number a loss: "
    "all ones give the plain gradient.",
    "within": "A behaviour's answer: every error is within a stricter bound than the one that is "
    "judged.",
    "beyond": "Some error is beyond that stricter bound, and within the one that is judged.",
    "far beyond, wrong": "Beyond the widest bound, too: the property accurate judges that. Older "
    "records say wrong.",
    "nothing left": "All losses came out as 0, where the exact ones are tiny.",
    "another shape": "The answer has not the shape that was asked for.",
    "no number": "An array came back where one number, a mean, was asked for.",
    "nan, inf, 0": "The number that came back.",
    "finite, a finite number": "A number other than 0 came back, and neither nan nor inf.",
    "raises": "No answer: the call ended in an error of the type that follows.",
    "the same bits, other bits": "What was asked twice, or in another batch, was answered bit for "
    "bit alike; or it was not.",
    "as if the class were not there": "The answer is that to the same row without the class.",
    "several answers": "Joined by commas, such as “beyond, within”: of the cases of one cell "
    "some got the one answer and some the other.",
}


def explained(label: str) -> list[str]:
    """The entries on the answers in a behaviour's label: ``beyond, within`` has two."""
    answers = [
        part.split(" ")[0] if part.startswith("raises ") else part for part in label.split(", ")
    ]
    return [entry for entry in GLOSSARY if set(entry.split(", ")) & set(answers)]
