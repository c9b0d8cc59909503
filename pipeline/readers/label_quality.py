"""The probability that a DocRED label is right, where the file says how it was obtained.

Labels of annotators say nothing and count as certain. Two kinds of derived labels are known:

- `ndoc`: the label was recovered by aligning facts with documents, and so many documents fit the fact. With one
  document the label is nearly always right.
- `docunet` (0 to 3) and `emiya` (0 or 1): votes of published systems, three runs of DocuNet and one of another system.
"""

from __future__ import annotations

# Share of right labels by the number of documents that the fact fits.
BY_DOCUMENTS = {1: 0.99, 2: 0.8, 3: 0.75}
MANY_DOCUMENTS = 0.67
# Share of right labels by the votes of DocuNet, without and with the vote of the other system.
BY_VOTES = {
    0: (0.0, 0.6),
    1: (0.5, 0.75),
    2: (0.65, 0.88),
    3: (0.8, 0.95),
}


def label_probability(ndoc: int | None = None, docunet: int | None = None, emiya: int | None = None) -> float:
    """Return the probability that a label is right: 1 without a statement about its origin.

    Raises:
        ValueError: a count is not possible; the message names the field and the value.
    """
    if docunet is not None or emiya is not None:
        votes, other = docunet or 0, emiya or 0
        if votes not in BY_VOTES or other not in (0, 1):
            raise ValueError(f"docunet is {votes} and emiya {other}: votes are 0 to 3 and 0 or 1")
        return BY_VOTES[votes][other]
    if ndoc is None:
        return 1.0
    if ndoc < 1:
        raise ValueError(f"ndoc is {ndoc}: a label fits at least one document")
    return BY_DOCUMENTS.get(ndoc, MANY_DOCUMENTS)
