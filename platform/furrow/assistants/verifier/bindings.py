"""Whether a figure belongs to what the sentence gives it to."""

from furrow.assistants.verifier.evidence import Clause, Evidence, clauses_of
from furrow.assistants.verifier.figures import Figure, figures_of
from furrow.assistants.verifier.held_figures import Failure, bounds_agree, equal, units_agree
from furrow.assistants.verifier.pairings import joins, parted
from furrow.assistants.verifier.subjects import owned_elsewhere, subject_of

# How much better another figure of the same kind must fit the words around before it contradicts.
_MARGIN = 0.8
_LINE_SHARE = 0.6
_FEW_TERMS = 3
_SAME_PLACE = 0.3
# In a list the later entries leave out what the first one said.
_CARRIED = 0.9
_BOUND = {"number", "time", "date"}


def misplaced_figure(sentence: str, evidence: Evidence) -> Failure:
    clauses = clauses_of(sentence)
    if figure := parted(clauses, evidence):
        return "figure_of_another", f"{figure.value}"
    small = lead = ""
    for clause in clauses:
        context = f"{small}{clause.text}"
        if of_another := _given_to_another(clause, lead, evidence):
            return "figure_of_another", f"{of_another.value}"
        for figure in clause.figures:
            if figure.kind in _BOUND and not _is_bound(context, figure, sentence, evidence):
                return "figure_of_another", f"{figure.value}"
        # "After the inspection," belongs to what follows; a whole statement does not.
        stands_alone = clause.figures or subject_of(clause.text, clause.figures, clause.start)
        lead = "" if stands_alone else f"{lead}{clause.text}"
        small = context if len(evidence.terms(context)) < _FEW_TERMS else ""
    return None


def _given_to_another(clause: Clause, lead: str, evidence: Evidence) -> Figure | None:
    """The first figure that the passage gives to something else than the clause's subject."""
    subject = subject_of(clause.text, clause.figures, clause.start)
    for figure in clause.figures:
        if figure.kind not in _BOUND or figure.is_one:
            continue
        holders = [
            (line, theirs)
            for line in evidence.lines
            for theirs in line.clauses
            if any(equal(figure, known) for known in theirs.figures)
        ]
        context = f"{lead}{clause.text}"
        if holders and all(
            not joins(figure, clause, theirs)
            and owned_elsewhere(subject, context, theirs, figure, line, evidence)
            for line, theirs in holders
        ):
            return figure
    return None


def _is_bound(context: str, figure: Figure, sentence: str, evidence: Evidence) -> bool:
    """Whether no other figure of its kind fits the words around it much better than its equals do."""
    mine = figures_of(context)
    near, far = evidence.terms(context), evidence.terms(sentence)
    equals: list[tuple[float, Figure]] = []
    other = -1.0
    for line in evidence.lines:
        whole = evidence.likeness(far, line.text)
        first = 0.0
        for number, theirs in enumerate(line.clauses):
            own = evidence.likeness(near, theirs.text)
            fit = own + _CARRIED * first + _LINE_SHARE * whole
            first = own if number == 0 else first
            for known in theirs.figures:
                if known.kind != figure.kind or not units_agree(known.unit, figure.unit):
                    continue
                if equal(figure, known):
                    equals.append((fit, known))
                elif known.unit in {figure.unit, ""} and not any(equal(f, known) for f in mine):
                    other = max(other, fit)
    if not equals:
        return True
    best = max(fit for fit, _ in equals)
    nearest = [known for fit, known in equals if fit >= best - _SAME_PLACE]
    if figure.bound and not any(bounds_agree(figure, known) for known in nearest):
        return False
    return other - best <= _MARGIN or _under_condition(figure, sentence, evidence)


def _under_condition(figure: Figure, sentence: str, evidence: Evidence) -> bool:
    """Whether the passage has the figure beside the one of an earlier clause: "from 500 copies on, 25 cents"."""
    earlier = [
        other
        for clause in clauses_of(sentence)
        if clause.end <= figure.start and not any(f.unit == figure.unit for f in clause.figures)
        for other in clause.figures
    ]
    return any(
        any(equal(figure, known) for known in theirs.figures)
        and any(equal(other, known) for other in earlier for known in theirs.figures)
        for line in evidence.lines
        for theirs in line.clauses
    )
