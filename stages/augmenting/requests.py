"""The requests of one attempt to make a row, and the prompts that they are made of."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from modelmake.errors import UserError
from stages.augmenting.teacher import Declined, Teacher
from stages.rows.row import Message

NAME = re.compile(r"\{(\w+)\}")


class Prompts:
    """Texts with {names} that are filled in, by their path below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = sorted(folder.rglob("*.txt"))
        self._texts = {path.relative_to(folder).as_posix(): path.read_text("utf-8").strip() for path in found}

    def fill(self, name: str, values: dict[str, str]) -> str:
        """The text of a prompt.

        Raises:
            UserError: there is none of that name, or it leaves a value out.
        """
        if name not in self._texts:
            raise UserError(f"{self._folder / name}: no such file: want the prompt; `git checkout` it")
        text = self._texts[name]
        if missing := [f"{{{value}}}" for value in values if f"{{{value}}}" not in text]:
            raise UserError(f"{self._folder / name}: has no {' and no '.join(missing)}: want it where that goes")
        return NAME.sub(lambda found: values.get(found[1], found[0]), text)


class Asking:
    """Asks for one row, and notes what for."""

    def __init__(self, teacher: Teacher, judge: Teacher | None, prompts: Prompts) -> None:
        self.templates: list[str] = []
        self.requests: list[str] = []
        self._asked: list[Sequence[Message]] = []
        self._teacher, self._judge, self._prompts = teacher, judge, prompts

    @property
    def prompt_sha256(self) -> str:
        """Of all that was asked, in order."""
        return hashlib.sha256(msgspec.json.encode(self._asked)).hexdigest()

    def filled(self, template: str, **values: str) -> list[Message]:
        """A prompt as the one turn of a user."""
        text = self._prompts.fill(template, values)
        self.templates = [*dict.fromkeys([*self.templates, template])]
        return [Message("user", text)]

    def answer(self, turns: Sequence[Message], sample: int = 0) -> str:
        """What the teacher says; another sample may be another answer. Raises as `Teacher.answer`."""
        return self._ask(self._teacher, turns, sample)

    def question(self, turns: Sequence[Message]) -> str:
        """What the teacher says, as a question that is asked next."""
        text = self.answer(turns)
        if not text:
            raise Declined("empty_question", "the teacher said nothing")
        return text

    def verdict(self, turns: Sequence[Message]) -> str:
        """What the judge says."""
        return self._ask(self._judge, turns, 0)

    def _ask(self, teacher: Teacher, turns: Sequence[Message], sample: int) -> str:
        self._asked.append(turns)
        request = teacher.request(turns, teacher.params.seed + sample)
        self.requests.append(request.id)
        return teacher.answer(request)
