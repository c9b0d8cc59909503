"""How many threads the model uses in this process, for as long as a pipeline runs."""

from __future__ import annotations

_before: int | None = None


def use_threads(number: int) -> None:
    """Let torch use so many threads; without it each worker would start a thread for every core."""
    import torch

    global _before
    if _before is None:
        _before = torch.get_num_threads()
    torch.set_num_threads(number)


def restore_threads() -> None:
    """Set the number back to what it was before `use_threads`, where workers were threads of this process."""
    global _before
    if _before is not None:
        import torch

        torch.set_num_threads(_before)
        _before = None
