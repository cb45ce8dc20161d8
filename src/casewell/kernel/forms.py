"""Input, parsed once: the same pydantic models read HTML forms and JSON bodies."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError
from werkzeug.datastructures import MultiDict

from casewell.kernel.errors import InvalidInput


def _without_controls(value: Any) -> Any:
    """Refuse NUL, which PostgreSQL can't store, and lone surrogates, which are no text."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("must not contain a NUL character")
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise ValueError("contains characters that are not text")
    return value


def _on_one_line(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.split())
    return value


Text = Annotated[str, BeforeValidator(_without_controls)]
"""Any text, of several lines."""

Line = Annotated[
    str,
    BeforeValidator(_on_one_line),
    BeforeValidator(_without_controls),
    StringConstraints(max_length=200),
]
"""Text of one line: line breaks and runs of white space become one space."""


class Form(BaseModel):
    """The base of every input model: unknown fields are refused, text is trimmed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)


class Query(Form):
    """The base of query strings: unknown parameters are left alone, as links carry them."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True, hide_input_in_errors=True)


F = TypeVar("F", bound=BaseModel)
NOT_FIELDS = frozenset({"csrf_token"})


def parse(form: type[F], given: Mapping[str, Any], *, empty_is_absent: bool = True) -> F:
    """Return `form` filled from an HTML form, a query string or a JSON object.

    In forms and the addresses of pages an empty value counts as not given, for browsers send
    every field; a program means what it sends. A field declared as a list takes every value of
    its name. Raises InvalidInput, with a sentence for each field.
    """
    values: dict[str, Any]
    if isinstance(given, MultiDict):
        lists = _list_fields(form)
        values = {
            name: given.getlist(name) if name in lists else given.getlist(name)[-1]
            for name in given
            if name not in NOT_FIELDS
        }
        if empty_is_absent:
            values = _without_empty(values)
    else:
        values = dict(given)
    try:
        return form.model_validate(values)
    except ValidationError as error:
        raise InvalidInput("Check the fields marked below.", fields=problems(error)) from error


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    filled = {
        name: [one for one in value if one != ""] if isinstance(value, list) else value
        for name, value in values.items()
    }
    return {name: value for name, value in filled.items() if value not in ("", [])}


@cache
def _list_fields(form: type[BaseModel]) -> frozenset[str]:
    return frozenset(
        info.alias or name
        for name, info in form.model_fields.items()
        if str(info.annotation).startswith(("list[", "typing.Optional[list[", "tuple["))
    )


def problems(error: ValidationError) -> dict[str, str]:
    """Return a sentence per field at fault; the name is a dotted path in nested input."""
    sentences: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in one["loc"]) or "input"
        sentences.setdefault(name, _sentence(one["type"], one["msg"], one.get("ctx", {})))
    return sentences


def _sentence(kind: str, message: str, context: Mapping[str, Any]) -> str:
    match kind:
        case "missing":
            return "This is needed."
        case "string_too_long":
            return f"Use at most {context['max_length']} characters."
        case "string_too_short":
            return f"Use at least {context['min_length']} characters."
        case "extra_forbidden":
            return "There is no such field."
        case "enum" | "literal_error":
            return f"Choose one of {context['expected']}."
        case _:
            text = message.removeprefix("Value error, ").rstrip(".")
            return text[:1].upper() + text[1:] + "."
