"""Reads the arguments of tool calls; what does not fit is refused with a reason a model can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, StrictBool, StringConstraints, ValidationError

from backend.fields import (
    Category,
    Content,
    Expiry,
    Importance,
    Keywords,
    Question,
    Scope,
    SortBy,
    Tag,
    Tags,
)
from backend.schemas import Body

if TYPE_CHECKING:
    from collections.abc import Mapping

MANY = 100
SHOWN = 3  # faults told at once
LONGEST_NAME = 60  # characters of a name that nobody knows


class Refused(Exception):
    """A call that is refused for what it asks; the text says why, and nothing was done."""


def _listed(value: object) -> object:
    """Take a list of texts for a text with commas: models send both."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ",".join(value)
    return value


def _spaced(value: object) -> object:
    joined = _listed(value)
    return joined.replace(",", " ") if isinstance(joined, str) else joined


def _id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _several(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _never(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _most(value: object) -> object:
    return min(value, MANY) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[
    str,
    BeforeValidator(_id),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
]
Limit = Annotated[int, BeforeValidator(_most), Field(ge=1)]
JoinedTags = Annotated[Tags, BeforeValidator(_listed)]
Synonyms = Annotated[Keywords, BeforeValidator(_spaced)]
End = Annotated[Expiry | None, BeforeValidator(_never)]
InScope = Literal["", "global", "project", "all"]
Kind = TypeVar("Kind", bound=Body)


class Store(Body):
    """What memory_store takes."""

    content: Content
    category: Category = "facts"
    tags: JoinedTags = ""
    importance: Importance = 0.5
    expanded_keywords: Synonyms = ""
    force_sensitive: StrictBool = False
    scope: Scope = "global"
    supersedes: Annotated[Id | None, BeforeValidator(_never)] = None
    expires_at: End = None


class Recall(Body):
    """What memory_recall takes."""

    context: Question
    expanded_query: Question = ""
    category: Category | None = None
    limit: Limit = 10
    sort_by: SortBy = "relevance"
    scope: InScope = ""


class Page(Body):
    """What memory_list takes."""

    category: Category | None = None
    tag: Annotated[Tag | None, BeforeValidator(_never)] = None
    limit: Limit = 20
    scope: InScope = ""


class Update(Body):
    """What memory_update takes; only what is given is changed."""

    id: Id
    content: Content = ""
    category: Category = "facts"
    tags: JoinedTags = ""
    importance: Importance = 0.5
    expanded_keywords: Synonyms = ""
    expires_at: End = None
    review: Literal["", "accept", "reject"] = ""
    restore: StrictBool = False

    def changes(self) -> dict[str, Any]:
        """Return the fields to change.

        Raises:
            Refused: there is nothing to do, or two different things at once.
        """
        asked = [name for name in ("review", "restore") if getattr(self, name)]
        given = self.model_fields_set - {"id", "review", "restore"}
        if len(asked) > 1 or (asked and given):
            names = " and ".join([*asked, *sorted(given)])
            raise Refused(f"{names} cannot be asked for at once. Make one call for each.")
        if not asked and not given:
            raise Refused("memory_update was given nothing to change.")
        return {name: getattr(self, name) for name in type(self).model_fields if name in given}


class Delete(Body):
    """What memory_delete takes."""

    id: Annotated[list[Id], BeforeValidator(_several), Field(min_length=1, max_length=MANY)]
    purge: StrictBool = False


class Nothing(Body):
    """What memory_status takes."""


class One(Body):
    """What secret_get takes."""

    id: Id


def read(kind: type[Kind], arguments: Mapping[str, Any]) -> Kind:
    """Read arguments; null counts as not given.

    Raises:
        Refused: one is missing, unknown, or not what it has to be.
    """
    try:
        return kind.model_validate({k: v for k, v in arguments.items() if v is not None})
    except ValidationError as error:
        faults = "; ".join(map(_fault, error.errors()[:SHOWN]))
        raise Refused(f"{faults}. Nothing was done.") from None


def _fault(error: Any) -> str:  # noqa: ANN401  (pydantic's own shape)
    """Name one fault and where it is, never what was sent."""
    name = str(error["loc"][0])[:LONGEST_NAME].encode("utf-8", "replace").decode()
    if error["type"] == "missing":
        return f"{name} is missing"
    if error["type"] == "extra_forbidden":
        return f"Unknown argument {name!r}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {message[:1].lower()}{message[1:]}"
