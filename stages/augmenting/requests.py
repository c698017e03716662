"""Prompt templates, and the requests that generate one row."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from modelmake.errors import UserError
from stages.augmenting.teacher import Declined, Teacher
from stages.rows.row import Message

PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Prompts:
    """Prompt templates by their path below a folder. A template is text with {placeholders}."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        paths = sorted(folder.rglob("*.txt"))
        self._texts = {path.relative_to(folder).as_posix(): path.read_text("utf-8").strip() for path in paths}

    def text(self, name: str) -> str:
        """The template as it is.

        Raises:
            UserError: there is none of this name.
        """
        if name not in self._texts:
            raise UserError(f"{self._folder / name}: no such file: want the prompt; `git checkout` it")
        return self._texts[name]

    def fill(self, name: str, values: dict[str, str]) -> str:
        """The template with its placeholders replaced; braces inside the values stay as they are.

        Raises:
            UserError: no template has the name, or it lacks a placeholder for one of the values.
        """
        text = self.text(name)
        if missing := [f"{{{value}}}" for value in values if f"{{{value}}}" not in text]:
            raise UserError(
                f"{self._folder / name}: has no {' and no '.join(missing)}: want it where its text belongs; add it"
            )
        return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


class Session:
    """The requests for one row. Records the templates and request ids for the table of parents."""

    def __init__(self, teacher: Teacher, judge: Teacher | None, prompts: Prompts) -> None:
        self.templates: list[str] = []
        self.requests: list[str] = []
        self._sent: list[Sequence[Message]] = []
        self._teacher, self._judge, self._prompts = teacher, judge, prompts

    @property
    def prompt_sha256(self) -> str:
        """Hash of the turns of every request, in order."""
        return hashlib.sha256(msgspec.json.encode(self._sent)).hexdigest()

    def prompt(self, template: str, **values: str) -> list[Message]:
        """A filled template as a single user turn."""
        text = self._prompts.fill(template, values)
        self.templates = [*dict.fromkeys([*self.templates, template])]
        return [Message("user", text)]

    def answer(self, turns: Sequence[Message], sample: int = 0) -> str:
        """The teacher's answer; each sample number has a seed of its own. Raises as `Teacher.answer` does."""
        return self._send(self._teacher, turns, sample)

    def question(self, turns: Sequence[Message]) -> str:
        """The teacher's answer, to be used as a question.

        Raises:
            Declined: it is empty; or as `Teacher.answer` does.
        """
        text = self.answer(turns)
        if not text:
            raise Declined("empty_question", "the teacher said nothing")
        return text

    def verdict(self, turns: Sequence[Message]) -> str:
        """The judge's answer. Raises as `Teacher.answer` does."""
        return self._send(self._judge, turns, 0)

    def _send(self, teacher: Teacher, turns: Sequence[Message], sample: int) -> str:
        self._sent.append(turns)
        request = teacher.request(turns, teacher.params.seed + sample)
        self.requests.append(request.id)
        return teacher.answer(request)
