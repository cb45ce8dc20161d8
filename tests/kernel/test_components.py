"""The macros that every page is made of, rendered alone."""

from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from casewell.kernel.assets import STATIC

TEMPLATES = STATIC.parent / "templates"


@pytest.fixture(scope="module")
def env() -> Environment:
    env = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    env.globals.update(asset_url=lambda name: f"/static/{name}", csrf_token=lambda: "token")
    return env


def render(env: Environment, file: str, names: str, body: str, **context: object) -> str:
    source = f'{{% from "components/{file}.html" import {names} %}}{body}'
    return env.from_string(source).render(**context)


def test_a_field_names_its_error_and_its_hint(env: Environment) -> None:
    html = render(
        env,
        "forms",
        "field",
        '{{ field("phone", "Phone", "312", "Enter all 10 digits", "With area code") }}',
    )
    assert '<label class="form-label" for="f-phone">Phone</label>' in html
    assert 'aria-describedby="f-phone-error f-phone-hint"' in html
    assert 'aria-invalid="true"' in html
    assert "Enter all 10 digits" in html


def test_a_field_without_error_is_not_called_invalid(env: Environment) -> None:
    html = render(env, "forms", "field", '{{ field("name", "Name", none) }}')
    assert "aria-invalid" not in html
    assert 'value=""' in html


def test_what_people_typed_is_escaped(env: Environment) -> None:
    typed = '"><script>alert(1)</script>'
    html = render(
        env,
        "forms",
        "field, textarea",
        '{{ field("a", "A", typed) }}{{ textarea("b", "B", typed) }}',
        typed=typed,
    )
    assert "<script>" not in html


def test_a_select_marks_its_choice_whatever_its_type(env: Environment) -> None:
    body = '{{ select("owner", "Owner", [(1, "Ana"), (2, "Bo")], "2") }}'
    html = render(env, "forms", "select", body)
    assert '<option value="2" selected>Bo</option>' in html


def test_a_count_of_nothing_shows_nothing(env: Environment) -> None:
    assert render(env, "badges", "count", "{{ count(0) }}") == ""
    assert "5<span" in render(env, "badges", "count", '{{ count(5, "unread") }}')


def test_a_count_that_may_change_later_keeps_its_place(env: Environment) -> None:
    html = render(env, "badges", "count", '{{ count(0, "unread", "unread-all") }}')
    assert 'id="unread-all"' in html
    assert " hidden" in html


@pytest.mark.parametrize(
    ("name", "initials"),
    [("Ana María López", "AM"), ("cher", "C"), ("", "?"), (None, "?")],
)
def test_an_avatar_shows_initials(env: Environment, name: str | None, initials: str) -> None:
    html = render(env, "avatars", "avatar", "{{ avatar(name, 7) }}", name=name)
    assert f">{initials}</span>" in html
    assert "cw-tint-1" in html


def test_an_act_by_post_carries_the_token(env: Environment) -> None:
    body = '{{ post_button("Sign out", "/sign-out", values={"next": "/"}) }}'
    html = render(env, "buttons", "post_button", body)
    assert 'method="post"' in html
    assert 'name="csrf_token" value="token"' in html
    assert 'name="next" value="/"' in html


def test_an_icon_button_has_a_name_and_tells_its_key(env: Environment) -> None:
    body = '{{ icon_button("phone", "Log call", "L") }}'
    html = render(env, "buttons", "icon_button", body)
    assert 'aria-label="Log call"' in html
    assert 'title="Log call (L)"' in html
    assert 'data-key="l"' in html


def test_a_class_given_to_a_button_joins_its_own(env: Environment) -> None:
    body = '{{ link_button("Import", "/x", attrs={"class": "cw-desktop-only", "data-key": "i"}) }}'
    html = render(env, "buttons", "link_button", body)
    assert 'class="btn cw-desktop-only"' in html
    assert html.count("class=") == 1
    assert 'data-key="i"' in html


def test_a_confirmation_starts_on_the_harmless_button(env: Environment) -> None:
    html = render(
        env,
        "dialogs",
        "confirm_dialog",
        '{{ confirm_dialog("d", "Delete the tag?", "It is on 82 clients.", "/x", "Delete tag") }}',
    )
    keep = html.index("Keep it")
    assert html.rindex("autofocus", 0, keep) > html.rindex("<button", 0, keep)


def test_a_failure_toast_stays_and_interrupts(env: Environment) -> None:
    html = render(env, "toasts", "toast", '{{ toast("Not sent", "error") }}')
    assert 'role="alert"' in html
    assert 'data-toast-item="error"' in html


def test_an_undo_works_without_scripts(env: Environment) -> None:
    html = render(env, "toasts", "toast", '{{ toast("Marked done", undo="/undo/1") }}')
    assert '<form method="post" action="/undo/1"' in html


@pytest.mark.parametrize("theme", ["system", "light", "dark"])
def test_a_page_has_one_heading_and_its_landmarks(env: Environment, theme: str) -> None:
    page = '{% extends "layout/page.html" %}{% block title %}Clients{% endblock %}'
    html = env.from_string(page).render(
        theme=theme,
        firm_name="Harbor Law Group",
        current_staff={"id": 1, "name": "Dana Whitfield", "role_label": "Owner"},
        nav=[{"title": "", "items": [_destination()]}],
        toasts=[],
    )
    assert html.count("<h1") == 1
    assert html.count("<main") == 1
    assert f'data-bs-theme="{theme}"' in html
    assert "<title>Clients · Casewell</title>" in html
    assert html.index('href="#main"') < html.index("<aside")


def test_an_error_page_says_what_happened_and_what_is_safe(env: Environment) -> None:
    html = env.get_template("errors/error.html").render(
        error={"title": "Not found", "what": "This is gone.", "safe": "Nothing was changed."}
    )
    assert "This is gone." in html
    assert "Nothing was changed." in html


def test_every_component_can_be_imported(env: Environment) -> None:
    for path in sorted((TEMPLATES / "components").glob("*.html")):
        exported = vars(env.get_template(Path("components", path.name).as_posix()).module)
        assert [name for name in exported if not name.startswith("_")], path.name


def _destination() -> dict[str, object]:
    return {
        "label": "Clients",
        "href": "/clients",
        "icon": "users",
        "current": True,
        "count": 0,
        "count_kind": "open",
        "count_id": "",
        "key": "c",
        "phone": True,
    }
