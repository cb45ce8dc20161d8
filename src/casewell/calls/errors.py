"""What can go wrong with calls."""

from casewell.kernel.errors import InvalidInput


class CallNotOver(InvalidInput):
    def __init__(self) -> None:
        sentence = "Only a call that is over can be recorded. Check when it was and how long."
        super().__init__(sentence, fields={"started_at": sentence})


class NobodySpoke(InvalidInput):
    def __init__(self) -> None:
        sentence = "A call that nobody took has no length. Leave it empty, or change the result."
        super().__init__(sentence, fields={"duration_seconds": sentence})


class BadNumber(InvalidInput):
    def __init__(self, problem: str) -> None:
        super().__init__(f"The number {problem}.", fields={"number": f"This {problem}."})
