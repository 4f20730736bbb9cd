"""Rendering: one Jinja environment per room over the shared templates, ready for translation, always escaping."""

from __future__ import annotations

import gettext
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from . import cells, csrf, formats, static
from .caching import REVALIDATE, body_tag, matches
from .cells import Cell
from .frame import frame
from .glossary import TERMS
from .parts import Crumb
from .platform import Platform

DOMAIN = "iati_platform"
LANGUAGES = ("en", "fr", "es", "pt")
"""Languages the texts may be given in; a language is offered as soon as its catalogue lies in `locales/`."""


def catalogue(language: str) -> gettext.NullTranslations:
    """The translations of one language; the English texts themselves when there are none."""
    return gettext.translation(DOMAIN, str(files(__package__).joinpath("locales")), [language], fallback=True)


def chosen_language(header: str) -> str:
    """The first language of Accept-Language (in order of its q values) that has a catalogue; English otherwise."""
    wishes: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wishes.append((-float(quality or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue
    for _, tag in sorted(wishes, key=lambda wish: wish[0]):
        if tag == "en":
            return "en"
        if tag in LANGUAGES and gettext.find(DOMAIN, str(files(__package__).joinpath("locales")), [tag]):
            return tag
    return "en"


@pass_context
def _cell(context: Context, value: Cell, hint: bool = False) -> Markup:
    today = context.get("today")
    return cells.html(value, today if hint and isinstance(today, date) else None)


def term(key: str, text: str = "") -> Markup:
    """A term of the field: a link to its explanation, which browsers also show on hover."""
    name, explanation = TERMS[key]
    return Markup('<a class="term" href="/glossary#{}" title="{}">{}</a>').format(key, explanation, text or name.lower())


def environment(*packages: str) -> Environment:
    """Templates of `packages` first, then the shared ones. A missing variable is an error, not an empty place."""
    loader = ChoiceLoader([PackageLoader(name) for name in (*packages, __package__ or "iati_platform.web")])
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    made.filters.update(
        cell=_cell, number=formats.number, size=formats.size, minute=formats.minute, wire=formats.wire, numeric=cells.numeric
    )
    made.globals.update(
        icon=cells.icon, term=term, static=static.address, share=formats.share, distance=formats.distance, TERMS=TERMS, Tone=cells.Tone
    )
    return made


class Pages:
    """Renders the pages of one room for one platform."""

    def __init__(self, platform: Platform, *packages: str) -> None:
        self.platform = platform
        self._environments: dict[str, Environment] = {}
        self._packages = packages

    def _in_language(self, language: str) -> Environment:
        if language not in self._environments:
            made = environment(*self._packages)
            made.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined]
            self._environments[language] = made
        return self._environments[language]

    def render(
        self,
        request: Request,
        template: str,
        *,
        title: str,
        content: Mapping[str, object],
        area: str = "",
        crumbs: Sequence[Crumb] = (),
        status: int = 200,
        tag: str | None = None,
        alternates: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """The page as an answer with an ETag: `tag` when the room knows what the page depends on, else one of its bytes.

        `content` holds the template's variables; `alternates` maps a media type to the address of the same content in that format.
        """
        language = chosen_language(request.headers.get("accept-language", ""))
        text = (
            self._in_language(language)
            .get_template(template)
            .render(
                **content,
                title=title,
                area=area,
                crumbs=crumbs,
                frame=frame(self.platform),
                today=self.platform.today(),
                language=language,
                alternates=alternates or {},
                query_text=request.query_params.get("q", "") if area == "explore" else "",
                csrf_field=lambda: csrf.field(request),
            )
        )
        body = text.encode()
        tag = tag or body_tag(body)
        headers = {"ETag": tag, "Cache-Control": REVALIDATE, "Vary": "Accept, Accept-Language", "Content-Language": language}
        if status == 200 and matches(request, tag):
            return HTMLResponse(status_code=304, headers=headers)
        return HTMLResponse(body, status, headers=headers)
